"""Set or remove a POSIX access control entry of a file."""

import os

from opsplay.remote.spec import Choice, Flag, Listing, ModuleFailure, Path, Spec, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

    from opsplay.remote.perform import Change
    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SPEC = Spec(
    args={
        "path": Path(required=True, aliases=("name",), text="The file or folder."),
        "state": Choice("absent", "present", "query", default="query", text="What to do with the entry."),
        "entity": Text(default="", text="User or group the entry is for."),
        "etype": Choice("group", "mask", "other", "user", text="Kind of the entry."),
        "permissions": Text(text="Any of r, w, x and X."),
        "entry": Text(text="The entry as setfacl writes it: [default:]etype:entity[:permissions]."),
        "default": Flag(default=False, text="The entry is a folder's default for what is made in it."),
        "follow": Flag(default=True, text="Go through a link."),
        "recursive": Flag(default=False, aliases=("recurse",), text="Also everything below."),
        "recalculate_mask": Choice("default", "mask", "no_mask", default="default", text="What becomes of the mask."),
        "use_nfsv4_acls": Flag(default=False, text="Not supported here."),
    },
    returns={"acl": Listing(text="the entries, as getfacl shows them")},
    examples=("acl: {path: /srv/share, entity: joe, etype: user, permissions: rx, state: present}",),
)


def observe(system: "System", args: "Args") -> "Dict[str, Any]":
    _check(system, args)
    acl = _getfacl(system, args, recursive=False)
    wrong: "List[str]" = []
    if args.state != "query":
        wrong = _differing(_getfacl(system, args, recursive=True) if args.recursive else acl, args)
    return {"acl": acl, "differing": wrong, "predicted": _predicted(system, args, acl) if wrong else acl}


def desired(args: "Args", before: "Dict[str, Any]") -> "Dict[str, Any]":
    return {} if args.state == "query" else {"differing": []}


def apply(system: "System", args: "Args", change: "Change") -> "None":
    run = system.run(["setfacl"] + _changes(args) + ["--", args.path])
    if run.rc != 0:
        raise ModuleFailure("setfacl failed: %s" % run.stderr.strip(), rc=run.rc)


def _changes(args: "Args") -> "List[str]":
    options = {"mask": ["--mask"], "no_mask": ["--no-mask"], "default": []}[args.recalculate_mask]
    options = options + (["--recursive", "--physical"] if args.recursive else [] if args.follow else ["--physical"])
    return options + (["-m", _entry(args)] if args.state == "present" else ["-x", _entry(args, bare=True)])


def _predicted(system: "System", args: "Args", now: "List[str]") -> "List[str]":
    """What setfacl would make: it prints `path: u::rw-,u:joe:r--,*`; a * stands for what stays, here the defaults."""
    run = system.run(["setfacl", "--test"] + _changes(args) + ["--", args.path])
    if run.rc != 0:
        raise ModuleFailure("setfacl failed: %s" % run.stderr.strip(), rc=run.rc)
    first = run.stdout.split("\n", 1)[0]
    made = [_long(entry) for entry in first.rpartition(": ")[2].split(",") if entry.strip("*")]
    kinds = {entry.startswith("default:") for entry in made}
    stays = [entry for entry in now if entry.startswith("default:") not in kinds]
    return sorted(made + stays, key=lambda entry: entry.startswith("default:"))


def _long(entry: "str") -> "str":
    names = {"u": "user", "g": "group", "m": "mask", "o": "other", "d": "default"}
    words = entry.split(":")
    count = 2 if words[0] == "d" else 1
    return ":".join([names.get(word, word) for word in words[:count]] + words[count:])


def report(args: "Args", before: "Dict[str, Any]", after: "Dict[str, Any]") -> "Dict[str, Any]":
    said = "%s is %s" % (_entry(args), args.state) if args.state != "query" else "current acl"
    return {"acl": _after(before, after), "msg": said}


def difference(args: "Args", before: "Dict[str, Any]", after: "Dict[str, Any]") -> "Dict[str, Any]":
    if args.recursive:
        old, new = ["%s\n" % line for line in before["differing"]], ["%s\n" % _entry(args)] * (args.state == "present")
    else:
        old, new = ([line + "\n" for line in sorted(acl)] for acl in (before["acl"], _after(before, after)))
    return {"before": "".join(old), "after": "".join(new)}


def _after(before: "Dict[str, Any]", after: "Dict[str, Any]") -> "List[str]":
    """In check mode nothing has changed, and what setfacl predicted stands for it."""
    return list(before["predicted"] if after["acl"] == before["acl"] else after["acl"])


def _check(system: "System", args: "Args") -> "None":
    if args.use_nfsv4_acls:
        raise ModuleFailure("use_nfsv4_acls is not supported")
    if not os.path.exists(args.path):
        raise ModuleFailure("Path not found or not accessible.")
    for program in ("getfacl", "setfacl"):
        if system.which(program) is None:
            raise ModuleFailure("Failed to find required executable \"%s\": install the package acl" % program)
    if args.entry and (args.etype or args.entity or args.permissions):
        raise ModuleFailure("'entry' MUST NOT be set when 'entity', 'etype' or 'permissions' are set.")
    if args.state == "present" and not args.entry and not (args.etype and args.permissions):
        raise ModuleFailure("'entry' or both 'etype' and 'permissions' are required for state=present")
    if args.state == "absent" and not args.entry and not args.etype:
        raise ModuleFailure("'etype' MUST be set to one of the supported types when 'state' is 'absent'.")


def _entry(args: "Args", bare: "bool" = False) -> "str":
    """`[default:]etype:entity[:permissions]`, the way both tools take it."""
    if args.entry:
        words = args.entry.split(":")
        default = words[0] in ("d", "default")
        words = words[1:] if default else words
        names = {"u": "user", "g": "group", "m": "mask", "o": "other"}
        etype, entity = names.get(words[0], words[0]), words[1] if len(words) > 1 else ""
        permissions = words[2] if len(words) > 2 else None
    else:
        etype, entity, permissions, default = args.etype, args.entity, args.permissions, False
    parts = (["default"] if args.default or default else []) + [etype, entity]
    return ":".join(parts + ([permissions] if permissions and not bare else []))


def _getfacl(system: "System", args: "Args", recursive: "bool") -> "List[str]":
    options = ["--omit-header", "--absolute-names", "--no-effective"] + (["--recursive", "--physical"] if recursive else [])
    run = system.run(["getfacl"] + options + ["--", args.path])
    if run.rc != 0:
        raise ModuleFailure("getfacl failed: %s" % run.stderr.strip(), rc=run.rc)
    return [line.split("\t")[0].strip() for line in run.stdout.split("\n") if recursive or line.strip()]


def _differing(lines: "List[str]", args: "Args") -> "List[str]":
    """For each file whose entry is not as asked: what it has instead."""
    name, wanted = _entry(args, bare=True), _entry(args)
    files = [block.split("\n") for block in "\n".join(lines).strip("\n").split("\n\n")] if args.recursive else [lines]
    wrong = []
    for entries in files:
        present = [line for line in entries if line.startswith(name + ":")]
        if args.state == "absent":
            wrong.extend(present)
        elif not any(_same(line, wanted) for line in present):
            wrong.extend(present or ["no " + name])
    return wrong


def _same(line: "str", wanted: "str") -> "bool":
    """`rx` and `r-x` are the same; X leaves what is there."""
    have, want = line.rpartition(":")[2], wanted.rpartition(":")[2]
    if "X" in want:
        want = want.replace("X", "x" if "x" in have else "")
    return set(have.replace("-", "")) == set(want.replace("-", ""))
