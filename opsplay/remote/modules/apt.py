"""Manage Debian packages with apt: install, upgrade, remove, update the package lists."""

import contextlib
import os

from opsplay.remote.packages import apt_cache, apt_deb, apt_get, apt_names, dpkg
from opsplay.remote.spec import Choice, Flag, Integer, Listing, ModuleFailure, Path, Spec, Text

SPEC = Spec(
    args={
        "name": Listing(aliases=("package", "pkg"), text="Packages: name, name=1.2*, name>=1.2, wild*cards."),
        "state": Choice("absent", "build-dep", "fixed", "latest", "present", default="present"),
        "update_cache": Flag(aliases=("update-cache",), text="Run apt-get update first."),
        "cache_valid_time": Integer(default=0, text="Seconds for which package lists are new enough."),
        "update_cache_retries": Integer(default=5), "update_cache_retry_max_delay": Integer(default=12),
        "deb": Path(text="Path or URL of a .deb file to install."),
        "upgrade": Choice("dist", "full", "no", "safe", "yes", default="no"),
        "purge": Flag(default=False), "autoremove": Flag(default=False), "autoclean": Flag(default=False),
        "clean": Flag(default=False), "default_release": Text(aliases=("default-release",)),
        "install_recommends": Flag(aliases=("install-recommends",)), "only_upgrade": Flag(default=False),
        "force": Flag(default=False), "force_apt_get": Flag(default=False),
        "allow_unauthenticated": Flag(default=False, aliases=("allow-unauthenticated",)),
        "allow_downgrade": Flag(default=False,
                                aliases=("allow-downgrade", "allow_downgrades", "allow-downgrades")),
        "allow_change_held_packages": Flag(default=False), "fail_on_autoremove": Flag(default=False),
        "dpkg_options": Text(default="force-confdef,force-confold"), "policy_rc_d": Integer(),
        "lock_timeout": Integer(default=60, text="Seconds to wait for apt's locks; then the holder is named."),
        "auto_install_module_deps": Flag(default=True, text="Accepted; nothing needs to be installed."),
    },
    returns={"cache_updated": "Whether the lists were updated.", "cache_update_time": "When they last were (epoch).",
             "stdout": "apt-get's output.", "stderr": "apt-get's errors."},
    examples=["apt: {name: nginx, state: present}", "apt: {update_cache: true, cache_valid_time: 3600}",
              "apt: {upgrade: dist}"],
    exclusive=(("deb", "name", "upgrade"),),
    notes=("Every change is simulated first; afterwards dpkg must show exactly what the simulation announced.",
           "Locks are waited for, never broken; the holder's pid and command are named when the time is over.",
           "needrestart only lists what should be restarted (NEEDRESTART_MODE=l) unless you set it otherwise."),
)
POLICY = "/usr/sbin/policy-rc.d"


def act(system, args):
    if not system.which("apt-get"):
        raise ModuleFailure("apt-get was not found on this host; it manages Debian's packages only")
    apt = apt_get.AptGet(system, args)
    result = {"changed": False, "cache_updated": False}
    if apt_cache.is_due(system, args):
        result["cache_updated"] = True
        if not system.check:
            result["cache_updated"] = apt_cache.refresh(system, args, apt)
    work = _choose(args)
    if work is not None:
        result.update(work(system, args, apt))
    elif result["cache_updated"]:
        result["changed"] = True
    for tidy in (args.autoclean and _autoclean, args.clean and _clean):
        if tidy:
            tidied = tidy(system, args, apt)
            result["changed"] = result["changed"] or tidied["changed"]
            result.setdefault("stdout", tidied["stdout"])
    result["cache_update_time"] = apt_cache.updated_at(system)
    return result


def _choose(args):
    if args.upgrade and args.upgrade != "no":
        return _upgrade
    if args.deb:
        return _deb
    if args.name is not None:
        return _packages
    if args.autoremove:
        return _autoremove
    return _fix if args.state == "fixed" else None


def _packages(system, args, apt):
    wanted = [] if args.name == ["*"] else apt_names.read(system, args.name)
    if args.name == ["*"]:
        if args.state != "latest":
            raise ModuleFailure("unable to install additional packages when upgrading all installed packages")
        return _run(system, args, apt, ["dist-upgrade"])
    if args.state == "absent":
        names = apt_names.to_remove(system, wanted, args.purge)
        return _run(system, args, apt, ["remove"] + names) if names else _maybe_autoremove(system, args, apt)
    if args.state == "build-dep":
        return _run(system, args, apt, ["build-dep"] + [one.text for one in wanted])
    words = apt_names.to_install(system, wanted, args.state, args.only_upgrade)
    if args.state == "fixed":
        return _run(system, args, apt, ["install", "--fix-broken"] + words)
    result = _run(system, args, apt, ["install"] + words) if words else _maybe_autoremove(system, args, apt)
    _mark_manual(system, args, wanted)
    return result


def _maybe_autoremove(system, args, apt):
    return _autoremove(system, args, apt) if args.autoremove else {"changed": False}


def _mark_manual(system, args, wanted):
    """What a task asks for by name is no longer there only for others, so autoremove must not take it."""
    automatic = dpkg.automatic(system) if not system.check and not args.only_upgrade else ()
    names = [one.name for one in wanted if one.name.split(":")[0] in automatic]
    if names:
        system.run(["apt-mark", "manual"] + names)


def _upgrade(system, args, apt):
    words = ["dist-upgrade"] if args.upgrade in ("dist", "full") else ["upgrade", "--with-new-pkgs"]
    result = _run(system, args, apt, words)
    return dict(result, msg=result["stdout"])


def _autoremove(system, args, apt):
    return _run(system, args, apt, ["autoremove"])


def _fix(system, args, apt):
    return _run(system, args, apt, ["install", "--fix-broken"])


def _deb(system, args, apt):
    path = apt_deb.fetch(system, args.deb)
    fields = apt_deb.read(system, path)
    if not apt_deb.is_wanted(system, fields, args.allow_downgrade or args.force):
        return {"changed": False}
    return _run(system, args, apt, ["install", path])


def _run(system, args, apt, words):
    if dpkg.was_interrupted(system) and not system.check:
        apt.finish_interrupted()
    plan = apt.plan(words)
    result = {"changed": bool(plan.actions), "stdout": plan.run.stdout, "stderr": plan.run.stderr}
    if plan.actions and not system.check:
        with _services_held(system, args.policy_rc_d):
            run = apt.carry_out(words, plan)
        result.update(stdout=run.stdout, stderr=run.stderr)
    if plan.actions and system.diff:
        result["diff"] = {"prepared": plan.summary}
    return result


@contextlib.contextmanager
def _services_held(system, code):
    """policy_rc_d: maintainer scripts that ask whether to start a service get this answer meanwhile."""
    if code is None:
        yield
        return
    old = system.read(POLICY) if system.lstat(POLICY) is not None else None
    mode = system.stat(POLICY).st_mode & 0o7777 if old is not None else None
    system.write(POLICY, ("#!/bin/sh\nexit %d\n" % code).encode(), mode=0o755)
    try:
        yield
    finally:
        if old is None:
            os.unlink(POLICY)
        else:
            system.write(POLICY, old, mode=mode)


def _autoclean(system, args, apt):
    simulation = system.run(["apt-get", "-q", "-s", "autoclean"])
    stale = [line for line in simulation.stdout.splitlines() if line.startswith("Del ")]
    if stale and not system.check:
        return {"changed": True, "stdout": _tidy(system, apt, "autoclean")}
    return {"changed": bool(stale), "stdout": simulation.stdout}


def _clean(system, args, apt):
    folder = "/var/cache/apt/archives"
    kept = [name for part in ("", "/partial") for name in _names(system, folder + part) if name.endswith(".deb")]
    if kept and not system.check:
        return {"changed": True, "stdout": _tidy(system, apt, "clean")}
    return {"changed": bool(kept), "stdout": ""}


def _names(system, folder):
    try:
        return system.listdir(folder)
    except OSError:
        return []


def _tidy(system, apt, verb):
    from opsplay.remote.packages import apt_lock
    run = apt.patience.run(lambda: system.run(["apt-get", "-y", "-q", verb]), apt_lock.DPKG_LOCKS)
    if run.rc != 0:
        raise ModuleFailure("'apt-get %s' failed: %s" % (verb, run.stderr), rc=run.rc, stdout=run.stdout,
                            stderr=run.stderr)
    return run.stdout
