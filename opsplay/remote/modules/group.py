"""Manage groups."""

from opsplay.remote import accounts
from opsplay.remote.spec import Choice, Flag, Integer, ModuleFailure, Spec, Text

SPEC = Spec(
    args={"name": Text(required=True), "gid": Integer(), "state": Choice("absent", "present", default="present"),
          "system": Flag(default=False), "local": Flag(default=False), "non_unique": Flag(default=False),
          "force": Flag(default=False, text="Delete it even where it is a user's primary group."),
          "gid_min": Integer(), "gid_max": Integer()},
    required_if=(("non_unique", True, ("gid",)),),
    returns={"gid": "Number.", "name": "Name.", "state": "State.", "system": "Whether it is a system group."},
    examples=["group: {name: deploy, state: present}"],
)


def observe(system, args):
    for name in ("gid_min", "gid_max"):
        if args.local and args[name] is not None:
            raise ModuleFailure("'%s' can not be used with 'local'" % name)
    entry = _by_name(system, args)
    return {"exists": entry is not None, "gid": entry.gr_gid if entry is not None else None}


def _by_name(system, args):
    entry = accounts.group(system, args.name, args.local)
    return entry if entry is not None and entry.gr_name == args.name else None


def desired(args, before):
    wanted = {"exists": args.state == "present"}
    if args.state == "present" and args.gid is not None:
        wanted["gid"] = args.gid
    return wanted


def apply(system, args, change):
    if args.state == "absent":
        argv = ["groupdel"] + (["-f"] if args.force else [])
    elif "exists" in change:
        argv = ["groupadd"] + (["-r"] if args.system else [])
        for key, name in (("gid_min", "GID_MIN"), ("gid_max", "GID_MAX")):
            if args[key] is not None:
                argv += ["-K", "%s=%d" % (name, args[key])]
    else:
        argv = ["groupmod"]
    if args.state == "present" and args.gid is not None:
        argv += ["-g", str(args.gid)] + (["-o"] if args.non_unique else [])
    if not system.which(argv[0]):
        argv = _busybox(args)
    run = system.run(argv + ["--", args.name] if argv[0].startswith("group") else argv)
    if run.rc != 0:
        raise ModuleFailure("%s failed: %s" % (argv[0], (run.stderr or run.stdout).strip()), rc=run.rc, name=args.name)


def _busybox(args):
    if args.state == "absent":
        return ["delgroup", args.name]
    return ["addgroup"] + (["-g", str(args.gid)] if args.gid is not None else []) + (
        ["-S"] if args.system else []) + [args.name]


def report(args, before, after):
    result = {"name": args.name, "state": args.state}
    if after["exists"]:
        result.update(gid=after["gid"], system=args.system)
    return result
