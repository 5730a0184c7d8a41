"""Manage alternative programs for common commands (update-alternatives)."""

from opsplay.remote.spec import Choice, Dictionary, Integer, Listing, ModuleFailure, Path, Spec, Text

SPEC = Spec(
    args={"name": Text(required=True), "path": Path(), "link": Path(), "priority": Integer(), "family": Text(),
          "state": Choice("present", "selected", "absent", "auto", default="selected"),
          "subcommands": Listing(aliases=("slaves",), elements=Dictionary())},
    one_of=(("path", "family"),),
    returns={}, examples=["alternatives: {name: editor, path: /usr/bin/vim.basic}"],
)


def observe(system, args):
    found = _query(system, args.name)
    path = args.path or _of_family(found, args.family)
    known = found["choices"].get(path)
    seen = {"found": found, "path": path, "installed": known is not None,
            "priority": known["priority"] if known else None, "mode": found["mode"], "selected": found["value"],
            "subcommands": known["slaves"] if known else None}
    if args.state != "absent" and system.stat(path) is None:
        raise ModuleFailure("Specified path %s does not exist" % path)
    if args.state != "absent" and not seen["installed"] and not (args.link or found["link"]):
        raise ModuleFailure("Needed to install the alternative, but unable to do so as we are missing the link")
    return seen


def _of_family(found, family):
    for path, choice in found["choices"].items():
        if choice.get("family") == family:
            return path
    raise ModuleFailure("no alternative of the family %s" % family)


def _command(system):
    for name in ("update-alternatives", "alternatives"):
        if system.which(name):
            return name
    raise ModuleFailure("neither update-alternatives nor alternatives is installed")


def _query(system, name):
    """Debian's `--query`; Red Hat's alternatives know only `--display`."""
    command = _command(system)
    run = system.run([command, "--query", name])
    if run.rc == 0:
        return _parse_query(run.stdout)
    run = system.run([command, "--display", name])
    return _parse_display(run.stdout if run.rc == 0 else "")


def _parse_query(text):
    found = {"link": None, "mode": None, "value": None, "choices": {}}
    choice, slaves, links = None, None, {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if line.startswith(" ") and slaves is not None:
            name, _, path = line.strip().partition(" ")
            slaves[name] = path
        elif key == "Slaves":
            slaves = links if choice is None else choice["slaves"]
        elif key == "Alternative":
            choice = found["choices"][value.strip()] = {"priority": 0, "slaves": {}}
        elif key == "Priority":
            choice["priority"] = int(value)
        elif key in ("Link", "Value"):
            found[key.lower()] = value.strip() if value.strip() != "none" else None
        elif key == "Status":
            found["mode"] = value.strip()
    for entry in found["choices"].values():
        entry["slaves"] = {name: (links.get(name), path) for name, path in entry["slaves"].items()}
    return found


def _parse_display(text):
    found = {"link": None, "mode": None, "value": None, "choices": {}}
    choice = None
    for line in text.splitlines():
        words = line.split()
        if "status is" in line:
            found["mode"] = words[-1].rstrip(".")
        elif "link currently points to" in line:
            found["value"] = words[-1]
        elif " - " in line and "priority" in words:
            choice = found["choices"][words[0]] = {"priority": int(words[words.index("priority") + 1]), "slaves": {}}
            if "family" in words:
                choice["family"] = words[words.index("family") + 1]
        elif line.strip().startswith("slave ") and choice is not None:
            choice["slaves"][words[1].rstrip(":")] = (None, words[-1])
    return found


def desired(args, before):
    if args.state == "absent":
        return {"installed": False}
    wanted = {"installed": True}
    if args.priority is not None or not before["installed"]:
        wanted["priority"] = args.priority if args.priority is not None else 50
    if args.subcommands is not None:
        wanted["subcommands"] = _subcommands(args, before)
    if args.state == "selected":
        wanted["selected"] = before["path"]
        if not (before["selected"] == before["path"]):
            wanted["mode"] = "manual"
    elif args.state == "auto":
        wanted["mode"] = "auto"
    return wanted


def _subcommands(args, before):
    links = before["subcommands"] or {}
    return {one["name"]: (one.get("link") or links.get(one["name"], (None,))[0], one["path"]) for one in args.subcommands}


def apply(system, args, change):
    command, path = _command(system), change.before["path"]
    if args.state == "absent":
        return _do(system, [command, "--remove", args.name, path])
    if "installed" in change or "priority" in change or "subcommands" in change:
        _install(system, command, args, change)
    if (args.state == "selected" and _query(system, args.name)["value"] != path) or change.wanted.get("mode") == "manual":
        _do(system, [command, "--set", args.name, path])
    if args.state == "auto" and _query(system, args.name)["mode"] != "auto":
        _do(system, [command, "--auto", args.name])
    return None


def _install(system, command, args, change):
    before = change.before
    priority = change.wanted.get("priority", before["priority"])
    argv = [command, "--install", args.link or before["found"]["link"], args.name, before["path"],
            str(50 if priority is None else priority)]
    slaves = change.wanted.get("subcommands", before["subcommands"]) or {}
    for name, (link, path) in sorted(slaves.items()):
        argv += ["--slave", link, name, path]
    _do(system, argv)


def _do(system, argv):
    run = system.run(argv)
    if run.rc != 0:
        raise ModuleFailure("%s failed: %s" % (" ".join(argv[:3]), (run.stderr or run.stdout).strip()), rc=run.rc)


def difference(args, before, after):
    wanted = desired(args, before)
    keys = [key for key in wanted if before[key] != wanted[key]]
    return {"before": {key: before[key] for key in keys}, "after": {key: wanted[key] for key in keys}}
