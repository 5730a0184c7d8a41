"""Keep a package's file out of the way, by dpkg-divert."""

from opsplay.remote.spec import Choice, Dictionary, Flag, Listing, ModuleFailure, Path, Spec, Text

SPEC = Spec(
    args={
        "path": Path(required=True, aliases=("name",), text="The file as its package names it."),
        "state": Choice("absent", "present", default="present"),
        "holder": Text(text="The package whose own file stays; LOCAL, the default: none's does."),
        "divert": Path(text="Where the file of other packages goes; PATH.distrib where not given."),
        "rename": Flag(default=False, text="Move the file, too."),
        "force": Flag(default=False, text="Move it even onto a file that is there."),
    },
    returns={"diversion": Dictionary(), "commands": Listing(), "messages": Listing()},
    examples=("dpkg_divert: {path: /usr/bin/busybox, rename: true}",),
)


def observe(system, args):
    if system.which("dpkg-divert") is None:
        raise ModuleFailure('Failed to find required executable "dpkg-divert" in paths: this is no Debian')
    owner = system.run(["dpkg-divert", "--listpackage", args.path]).stdout.strip()
    target = system.run(["dpkg-divert", "--truename", args.path]).stdout.strip()
    return {"holder": owner, "divert": target if owner else ""}


def desired(args, before):
    if args.state == "absent":
        return {"holder": "", "divert": ""}
    return {"holder": args.holder or "LOCAL", "divert": args.divert or args.path + ".distrib"}


def apply(system, args, change):
    before, wanted = change.before, dict(change.before, **change.wanted)
    commands, messages = [], []
    for words, held in ((["--remove"], before), (["--add"], wanted)):
        if not held["holder"]:
            continue
        line = ["dpkg-divert"] + words + (["--local"] if held["holder"] == "LOCAL" else ["--package", held["holder"]])
        line += ["--divert", held["divert"], "--rename" if args.rename else "--no-rename", args.path]
        if args.rename and args.force:
            _make_room(system, args.path if words == ["--remove"] else held["divert"], held["divert"] if words == ["--remove"] else args.path)
        run = system.run(line)
        if run.rc != 0:
            raise ModuleFailure(run.stderr.strip() or run.stdout.strip(), rc=run.rc, stdout=run.stdout, stderr=run.stderr)
        commands.append(" ".join(line))
        messages += run.stdout.splitlines()
    return {"commands": commands, "messages": messages}


def _make_room(system, target, source):
    if system.lstat(target) is not None and system.lstat(source) is not None:
        system.remove(target)


def report(args, before, after):
    return {"diversion": {"path": args.path, "holder": after["holder"], "divert": after["divert"], "state": "present" if after["holder"] else "absent"}}
