"""Manage systemd units: started, stopped, enabled, masked."""

from opsplay.remote.services import units
from opsplay.remote.spec import Choice, Flag, ModuleFailure, Spec, Text

SPEC = Spec(
    args={
        "name": Text(aliases=("service", "unit"), text="Unit; a name without a suffix is a service's."),
        "state": Choice("reloaded", "restarted", "started", "stopped"),
        "enabled": Flag(text="Whether it starts at boot."), "masked": Flag(),
        "daemon_reload": Flag(default=False, aliases=("daemon-reload",), text="Read the unit files again first."),
        "daemon_reexec": Flag(default=False, aliases=("daemon-reexec",)),
        "scope": Choice("system", "user", "global", default="system"),
        "no_block": Flag(default=False), "force": Flag(),
    },
    returns={"status": "What `systemctl show` said of the unit.", "state": "started or stopped.", "enabled": "At boot."},
    examples=["systemd_service: {name: cron, state: started, enabled: true}", "systemd_service: {daemon_reload: true}"],
    required_by={"state": ("name",), "enabled": ("name",), "masked": ("name",)},
)


def act(system, args):
    manager = units.Manager(system, args.scope or "system", args.no_block, args.force)
    for wanted, verb in ((args.daemon_reload, "daemon-reload"), (args.daemon_reexec, "daemon-reexec")):
        if wanted and not system.check:
            manager.do(verb)
    result = {"name": args.name, "changed": False, "status": {}}
    if args.name is None:
        return result
    unit = _look(manager, args, system)
    result["status"] = unit.status
    before, after = {}, {}
    for step in (_mask, _enable, _run):
        step(system, args, unit, before, after)
    result["changed"] = bool(after)
    for key in ("enabled", "masked"):
        if args.get(key) is not None:
            result[key] = args[key]
    if args.state is not None:
        result["state"] = "stopped" if args.state == "stopped" else "started"
    if system.diff and after:
        result["diff"] = {"before": before, "after": after}
    return result


def _look(manager, args, system):
    unit = manager.unit(args.name)
    if unit.is_found or (args.masked is not None and unit.is_masked):
        return unit
    if args.masked is None and args.state is None and args.enabled is None:
        return unit  # only asked about: roles look at its status
    if args.masked and args.state is None and args.enabled is None:
        return unit  # a unit that is not there can be masked all the same
    if unit.offline and unit.error and not unit.in_chroot and args.state is not None and not system.check:
        raise ModuleFailure("Service is in unknown state: %s" % unit.error, status=unit.status)
    if args.masked is False and args.state is None and args.enabled is None:
        return unit
    raise ModuleFailure("Could not find the requested service %s: host" % args.name)


def _mask(system, args, unit, before, after):
    if args.masked is None or unit.is_masked == args.masked:
        return
    before["masked"], after["masked"] = unit.is_masked, args.masked
    if not system.check:
        unit.manager.do("mask" if args.masked else "unmask", unit.name)


def _enable(system, args, unit, before, after):
    if args.enabled is None:
        return
    enabled = unit.is_enabled
    if enabled == args.enabled:
        return
    before["enabled"], after["enabled"] = enabled, args.enabled
    if not system.check:
        unit.manager.do("enable" if args.enabled else "disable", unit.name)


def _run(system, args, unit, before, after):
    if args.state is None:
        return
    if unit.in_chroot:
        system.warn("Target is a chroot or systemd is offline: nothing can be started or stopped here")
        return
    if unit.offline:
        raise ModuleFailure("Service is in unknown state: %s" % unit.error, status=unit.status)
    verb = _verb(args.state, unit)
    if verb is None:
        return
    before["state"], after["state"] = unit.status.get("ActiveState", "unknown"), args.state
    if system.check:
        return
    unit.manager.do(verb, unit.name)
    if not args.no_block:
        _require(args, unit, verb)


def _verb(state, unit):
    if state == "started":
        return None if unit.is_running else "start"
    if state == "stopped":
        return "stop" if unit.is_running or unit.is_leaving else None
    if state == "reloaded" and not unit.is_running:
        return "start"
    return "restart" if state == "restarted" else "reload"


def _require(args, unit, verb):
    """A start that ended in `failed` is no success, though systemctl may have said 0."""
    after = unit.manager.unit(unit.name)
    wrong = after.is_running if verb == "stop" else after.status.get("ActiveState") == "failed"
    if wrong:
        raise ModuleFailure("Unable to %s service %s: it is %s (%s) now; see `journalctl -u %s`" % (
            verb, unit.name, after.status.get("ActiveState"), after.status.get("Result", "?"), unit.name),
            status=after.status)
