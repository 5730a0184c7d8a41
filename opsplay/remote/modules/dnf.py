"""Manage packages with dnf (dnf 4, dnf 5, and yum where there is no dnf)."""

import re

from opsplay.remote.packages import dnf_transaction, rpm
from opsplay.remote.spec import Choice, Flag, Integer, Listing, ModuleFailure, Path, Spec, Text

SPEC = Spec(
    args={
        "name": Listing(aliases=("pkg",)), "list": Text(), "autoremove": Flag(default=False),
        "state": Choice("absent", "present", "installed", "removed", "latest"),
        "allow_downgrade": Flag(default=False), "allowerasing": Flag(default=False), "best": Flag(), "nobest": Flag(),
        "bugfix": Flag(default=False), "security": Flag(default=False), "cacheonly": Flag(default=False),
        "conf_file": Text(), "disable_excludes": Text(), "disable_gpg_check": Flag(default=False),
        "disable_plugin": Listing(default=[]), "enable_plugin": Listing(default=[]), "disablerepo": Listing(default=[]),
        "enablerepo": Listing(default=[]), "exclude": Listing(default=[]), "download_only": Flag(default=False),
        "download_dir": Text(), "install_repoquery": Flag(default=True), "install_weak_deps": Flag(default=True),
        "installroot": Path(default="/"), "lock_timeout": Integer(default=30), "releasever": Text(),
        "skip_broken": Flag(default=False), "sslverify": Flag(default=True), "validate_certs": Flag(default=True),
        "update_cache": Flag(default=False, aliases=("expire-cache",)), "update_only": Flag(default=False),
        "use_backend": Choice("auto", "dnf", "dnf4", "dnf5", "yum", "yum4", default="auto"), "use": Text(),
    },
    exclusive=(("name", "list"), ("best", "nobest")),
    returns={"results": "What was installed and removed.", "rc": "dnf's code.", "msg": "A word on it."},
    examples=["dnf: {name: httpd, state: latest}", "dnf: {name: '*', state: latest, security: true}"],
)


def act(system, args):
    program = _program(system, args)
    base = [program, "-y"] + _options(args)
    if args.update_cache and not system.check:
        _do(system, base + ["makecache"])
    if args.list:
        return {"changed": False, "results": _listing(system, base, args.list)}
    state = {"installed": "present", "removed": "absent", None: "absent" if args.autoremove else "present"}.get(
        args.state, args.state)
    names = [name.strip() for name in args.name or () if name.strip()]
    if not names and not args.autoremove:
        return {"changed": False, "msg": "", "rc": 0, "results": ["Cache updated"] if args.update_cache else []}
    commands = [words for words in _commands(system, args, state, names) if words]
    return _run(system, args, base, commands)


def _program(system, args):
    wanted = {"dnf4": ("dnf-3", "dnf"), "yum4": ("dnf-3", "dnf"), "auto": ("dnf5", "dnf", "dnf-3", "microdnf", "yum")}
    for name in wanted.get(args.use_backend or "auto", (args.use_backend,)):
        if system.which(name):
            return name
    raise ModuleFailure("neither dnf nor yum is installed on this host")


def _options(args):
    flags = []
    for name, values in (("--disablerepo", args.disablerepo), ("--enablerepo", args.enablerepo),
                         ("--exclude", args.exclude), ("--disableplugin", args.disable_plugin),
                         ("--enableplugin", args.enable_plugin)):
        flags += ["%s=%s" % (name, value) for value in values or ()]
    for flag, value in (("--config", args.conf_file), ("--disableexcludes", args.disable_excludes),
                        ("--releasever", args.releasever), ("--downloaddir", args.download_dir),
                        ("--installroot", args.installroot if args.installroot != "/" else None)):
        if value:
            flags.append("%s=%s" % (flag, value))
    for wanted, flag in ((args.disable_gpg_check, "--nogpgcheck"), (args.cacheonly, "--cacheonly"),
                         (args.skip_broken, "--skip-broken"), (args.allowerasing, "--allowerasing"),
                         (args.best, "--best"), (args.nobest or args.best is False, "--nobest"),
                         (args.bugfix, "--bugfix"), (args.security, "--security"),
                         (args.download_only, "--downloadonly"),
                         (not args.sslverify or not args.validate_certs, "--setopt=sslverify=0"),
                         (not args.install_weak_deps, "--setopt=install_weak_deps=False")):
        if wanted:
            flags.append(flag)
    return flags


def _commands(system, args, state, names):
    """The dnf commands, each for names that are not as they should be."""
    if state == "absent":
        there = [name for name in names if name.startswith("@") or rpm.is_installed(system, name, args.installroot)]
        return [["remove"] + there if there else None, ["autoremove"] if args.autoremove and not names else None]
    if "*" in names:
        return [["upgrade"]]
    missing, present = [], []
    for name in names:
        (present if _is_there(system, args, name) else missing).append(name)
    commands = [] if args.update_only else [["install"] + missing if missing else None]
    if args.update_only or state == "latest":
        plain = [name for name in present if "://" not in name and not name.endswith(".rpm")]
        commands.append(["upgrade"] + plain if plain else None)
    return commands


def _is_there(system, args, name):
    if name.startswith("@"):
        return False
    if "://" in name:
        stem = re.sub(r"\.rpm$", "", name.rsplit("/", 1)[-1])
        return rpm.is_installed(system, stem, args.installroot)
    if name.endswith(".rpm") and system.stat(name) is not None:
        return bool(rpm.query(system, [rpm.of_file(system, name).full], args.installroot))
    plain = re.sub(r"\s*(=|==)\s*", "-", name)
    found = re.match(r"^(\S+?)\s*(>=|<=|>|<)\s*(\S+)$", name)
    if found:
        return bool(rpm.query(system, ["%s %s %s" % found.groups()], args.installroot))
    return rpm.is_installed(system, plain, args.installroot)


def _run(system, args, base, commands):
    announced, output = [], []
    for words in commands:
        run = system.run(base + ["--assumeno"] + [re.sub(r"\s*(=|==)\s*", "-", word) for word in words],
                         timeout=None)
        actions = dnf_transaction.parse(run.stdout)
        if not actions and run.rc != 0 and not dnf_transaction.is_empty(run.stdout + run.stderr):
            raise _failure(words, run)
        announced += actions
        if actions and not system.check:
            output.append(_do(system, base + [re.sub(r"\s*(=|==)\s*", "-", word) for word in words]))
    result = {"changed": bool(announced), "results": announced, "rc": 0, "msg": "" if announced else "Nothing to do"}
    if system.check and announced:
        result["msg"] = "Check mode: No changes made, but would have if not in check mode"
    if system.diff and announced:
        result["diff"] = {"prepared": "\n".join(announced) + "\n"}
    return result


def _do(system, argv):
    run = system.run(argv)
    if run.rc != 0:
        raise _failure(argv[1:], run)
    return run.stdout


def _failure(words, run):
    text = run.stderr + run.stdout
    missing = re.findall(r"(?:No match for argument|No package)[: ]+(\S+)", text)
    msg = "Failed to install some of the specified packages" if missing else "dnf %s failed: %s" % (
        " ".join(words), run.stderr.strip() or run.stdout.strip()[-2000:])
    return ModuleFailure(msg, rc=run.rc, results=[], failures=[
        "No package %s available." % name for name in missing], stdout=run.stdout, stderr=run.stderr)


def _listing(system, base, what):
    words = {"installed": ["list", "--installed"], "available": ["list", "--available"], "updates": ["list", "--upgrades"],
             "upgrades": ["list", "--upgrades"], "repos": ["repolist"], "repositories": ["repolist"]}.get(
                 what, ["list", what])
    rows = []
    for line in system.run(base + words).stdout.splitlines():
        fields = line.split()
        if len(fields) == 3 and "." in fields[0]:
            name, _, arch = fields[0].rpartition(".")
            version, _, release = fields[1].partition("-")
            epoch, colon, bare = version.partition(":")
            rows.append({"name": name, "arch": arch, "version": bare if colon else version, "release": release,
                         "epoch": epoch if colon else "0", "repo": fields[2].lstrip("@"),
                         "yumstate": "installed" if fields[2].startswith("@") or what == "installed" else "available"})
    return rows
