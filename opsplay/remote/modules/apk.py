"""Manage packages of Alpine Linux with apk."""

import re

from opsplay.remote.packages import apk_database
from opsplay.remote.spec import Choice, Flag, Listing, ModuleFailure, Spec, Text

SPEC = Spec(
    args={"name": Listing(), "state": Choice("absent", "installed", "latest", "present", "removed", default="present"),
          "available": Flag(default=False), "no_cache": Flag(default=False), "repository": Listing(),
          "update_cache": Flag(default=False), "upgrade": Flag(default=False), "world": Text(default="/etc/apk/world")},
    one_of=(("name", "update_cache", "upgrade"),), exclusive=(("name", "upgrade"),),
    returns={"packages": "Packages that changed."}, examples=["apk: {name: [nginx], update_cache: true}"],
)
ACTION = re.compile(r"^\(\d+/\d+\) (Installing|Upgrading|Downgrading|Reinstalling|Replacing|Purging) (\S+) \(([^)]*)\)", re.M)


def act(system, args):
    base = ["apk"] + (["--no-cache"] if args.no_cache else [])
    for repository in args.repository or ():
        base += ["--repository", repository, "--repositories-file", "/dev/null"]
    updated = False
    if args.update_cache:
        updated = True
        if not system.check:
            _do(system, base + ["update"], "could not update package db")
    if args.upgrade:
        return _run(system, base + ["upgrade"] + (["--available"] if args.available else []))
    if args.name is None:
        return {"changed": updated, "msg": "updated repository indexes", "packages": []}
    return _packages(system, args, base)


def _packages(system, args, base):
    names = [name.strip() for name in args.name if name.strip()]
    there = apk_database.installed(system)
    state = {"installed": "present", "removed": "absent"}.get(args.state, args.state)
    if state == "absent":
        gone = [name for name in names if _bare(name) in there]
        return _run(system, base + ["del"] + gone, args) if gone else _nothing("package(s) already removed")
    world = [_bare(word) for word in apk_database.world(system)]
    missing = [name for name in names if not apk_database.provides(there, _bare(name)) or _has_version(name)
               or (_bare(name) not in world and not name.startswith("!"))]
    if state == "latest":
        return _run(system, base + ["add", "--upgrade"] + (["--latest"] if args.available else []) + names, args)
    return _run(system, base + ["add"] + missing, args) if missing else _nothing("package(s) already installed")


def _bare(name):
    return re.split(r"[=<>~@]", name, maxsplit=1)[0]


def _has_version(name):
    return bool(re.search(r"[=<>~]", name))


def _nothing(msg):
    return {"changed": False, "msg": msg, "packages": []}


def _run(system, argv, args=None):
    simulation = _do(system, [argv[0], "--simulate"] + argv[1:], "failed to plan")
    actions = ["%s %s (%s)" % found for found in ACTION.findall(simulation.stdout)]
    packages = [found[1] for found in ACTION.findall(simulation.stdout)]
    result = {"changed": bool(actions), "packages": packages, "stdout": simulation.stdout, "stderr": simulation.stderr,
              "msg": ", ".join(actions) or "nothing to do"}
    needs_world = args is not None and argv[-1] not in apk_database.world(system) and "add" in argv
    if (actions or needs_world) and not system.check:
        run = _do(system, argv, "failed")
        result.update(stdout=run.stdout, stderr=run.stderr)
    if system.diff and actions:
        result["diff"] = {"prepared": "\n".join(actions) + "\n"}
    return result


def _do(system, argv, what):
    run = system.run(argv)
    if run.rc != 0:
        raise ModuleFailure("%s: %s: %s" % (" ".join(argv), what, (run.stderr or run.stdout).strip()), rc=run.rc,
                            stdout=run.stdout, stderr=run.stderr)
    return run
