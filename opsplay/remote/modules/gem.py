"""Manage Ruby gems."""

import re

from opsplay.remote.spec import Choice, Flag, Listing, ModuleFailure, Path, Spec, Text

SPEC = Spec(
    args={"name": Text(required=True), "state": Choice("absent", "latest", "present", default="present"),
          "gem_source": Path(), "include_dependencies": Flag(default=True), "repository": Text(aliases=("source",)),
          "user_install": Flag(default=True), "executable": Path(), "install_dir": Path(), "bindir": Path(),
          "norc": Flag(default=True), "version": Text(), "pre_release": Flag(default=False),
          "include_doc": Flag(default=False), "env_shebang": Flag(default=False), "build_flags": Text(),
          "force": Flag(default=False), "env": Listing()},
    returns={"name": "Gem.", "state": "State."}, examples=["gem: {name: bundler, state: present}"],
)


def observe(system, args):
    base = _base(args)
    versions = _versions(system, args, base)
    installed = args.version in versions if args.version else bool(versions)
    seen = {"installed": installed, "versions": versions}
    if args.state == "latest":
        seen["latest"] = installed and _newest(system, args, base) in versions
    return seen


def _base(args):
    return [args.executable or "gem"]


def _versions(system, args, base):
    """Installed versions: `name (1.2, default: 1.1)`."""
    run = system.run(base + ["list"] + (["--norc"] if args.norc else []) + ["--local", "^%s$" % re.escape(args.name)],
                     environment={"GEM_HOME": args.install_dir} if args.install_dir else None)
    found = re.search(r"^%s \((.*)\)" % re.escape(args.name), run.stdout, re.M)
    if not found:
        return []
    return [re.sub(r"^default: ", "", version).split(" ")[0] for version in found.group(1).split(", ")]


def _newest(system, args, base):
    argv = base + ["list"] + (["--norc"] if args.norc else []) + ["--remote", "^%s$" % re.escape(args.name)]
    run = system.run(argv + (["--source", args.repository] if args.repository else []))
    found = re.search(r"^%s \(([^ ,)]*)" % re.escape(args.name), run.stdout, re.M)
    return found.group(1) if found else None


def desired(args, before):
    if args.state == "latest":
        return {"latest": True, "installed": True}
    return {"installed": args.state == "present"}


def apply(system, args, change):
    base = _base(args)
    if args.state == "absent":
        argv = base + ["uninstall"] + (["--norc"] if args.norc else []) + (
            ["--install-dir", args.install_dir] if args.install_dir else [])
        argv += ["--version", args.version] if args.version else ["--all"]
        argv += ["--executable", args.name] + (["--force"] if args.force else [])
    else:
        argv = base + ["install"] + _install_flags(args) + [args.gem_source or args.name]
        argv += ["--"] + args.build_flags.split() if args.build_flags else []
    run = system.run(argv)
    if run.rc != 0:
        raise ModuleFailure("%s failed: %s" % (" ".join(argv), (run.stderr or run.stdout).strip()), rc=run.rc)


def _install_flags(args):
    flags = ["--norc"] if args.norc else []
    for value, flag in ((args.version, "--version"), (args.repository, "--source"), (args.install_dir, "--install-dir"),
                        (args.bindir, "--bindir")):
        if value:
            flags += [flag, value]
    if not args.install_dir:
        flags.append("--user-install" if args.user_install else "--no-user-install")
    for wanted, flag in ((not args.include_dependencies, "--ignore-dependencies"), (args.pre_release, "--pre"),
                         (not args.include_doc, "--no-document"), (args.env_shebang, "--env-shebang"),
                         (args.force, "--force")):
        if wanted:
            flags.append(flag)
    return flags


def report(args, before, after):
    result = {"name": args.name, "state": args.state}
    return dict(result, version=args.version) if args.version else result
