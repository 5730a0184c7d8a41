"""Manage packages of Arch Linux with pacman."""

from opsplay.remote.spec import Choice, Flag, Listing, ModuleFailure, Spec, Text

SPEC = Spec(
    args={"name": Listing(aliases=("package", "pkg")),
          "state": Choice("absent", "installed", "latest", "present", "removed", default="present"),
          "executable": Text(default="pacman"), "extra_args": Text(default=""), "force": Flag(default=False),
          "remove_nosave": Flag(default=False), "update_cache": Flag(aliases=("update-cache",)),
          "update_cache_extra_args": Text(default=""), "upgrade": Flag(), "upgrade_extra_args": Text(default=""),
          "reason": Choice("explicit", "dependency"), "reason_for": Choice("all", "new", default="new")},
    one_of=(("name", "update_cache", "upgrade"),), exclusive=(("name", "upgrade"),),
    returns={"packages": "Packages that changed.", "cache_updated": "Whether the lists were updated."},
    examples=["pacman: {name: nginx, state: present}"],
)


def act(system, args):
    base = [args.executable or "pacman", "--noconfirm", "--noprogressbar"]
    result = {"changed": False, "packages": []}
    if args.update_cache:
        result.update(_update(system, args, base))
    if args.upgrade:
        return _merge(result, _run(system, base, ["-Su"] + (args.upgrade_extra_args or "").split(),
                                   _listed(system, base, ["-Qu"])))
    if args.name is not None:
        return _merge(result, _packages(system, args, base))
    return result


def _merge(result, more):
    return dict(result, **dict(more, changed=result["changed"] or more["changed"]))


def _update(system, args, base):
    if system.check:
        return {"changed": True, "cache_updated": True}
    flags = ["-Sy"] + (["-y"] if args.force else []) + (args.update_cache_extra_args or "").split()
    run = _do(system, base + flags)
    updated = any("is up to date" not in line and not line.startswith("::") for line in run.stdout.splitlines())
    return {"changed": updated, "cache_updated": updated}


def _listed(system, base, words):
    return [line.split()[0] for line in system.run(base[:1] + words).stdout.splitlines() if line.strip()]


def _packages(system, args, base):
    installed = set(_listed(system, base, ["-Q"]))
    groups = {}
    for line in system.run(base[:1] + ["-Sg"] + list(args.name)).stdout.splitlines():
        group, _, member = line.partition(" ")
        groups.setdefault(group, []).append(member)
    names = [member for name in args.name for member in (groups.get(name) or [name])]
    extra = (args.extra_args or "").split()
    if args.state in ("absent", "removed"):
        gone = [name for name in names if name in installed]
        flags = ["-R"] + (["--nosave"] if args.remove_nosave else []) + (["-dd"] if args.force else [])
        return _run(system, base, flags + extra + gone, gone)
    wanted = [name for name in names if name not in installed]
    if args.state == "latest":
        outdated = set(_listed(system, base, ["-Qu"]))
        wanted += [name for name in names if name in outdated]
    files = [name for name in wanted if ".pkg.tar" in name]
    stored = [name for name in wanted if name not in files]
    result = _run(system, base, ["-S", "--needed"] + extra + stored, stored)
    return _merge(result, _run(system, base, ["-U"] + extra + files, files)) if files else result


def _run(system, base, words, packages):
    if not packages:
        return {"changed": False, "packages": [], "msg": "nothing to do"}
    if not system.check:
        _do(system, base + words)
    result = {"changed": True, "packages": packages, "msg": "%s: %s" % (words[0], ", ".join(packages))}
    if system.diff:
        result["diff"] = {"prepared": "\n".join(packages) + "\n"}
    return result


def _do(system, argv):
    run = system.run(argv)
    if run.rc != 0:
        raise ModuleFailure("%s failed: %s" % (" ".join(argv), (run.stderr or run.stdout).strip()), rc=run.rc,
                            stdout=run.stdout, stderr=run.stderr)
    return run
