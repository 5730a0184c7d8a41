"""Manage services, by whatever service manager the host has."""

from opsplay.remote.facts import distribution
from opsplay.remote.modules import systemd_service
from opsplay.remote.services import keeping, openrc, sysv
from opsplay.remote.spec import Args, Choice, Flag, Integer, ModuleFailure, Spec, Text

SPEC = Spec(
    args={
        "name": Text(required=True), "state": Choice("reloaded", "restarted", "started", "stopped"),
        "enabled": Flag(), "arguments": Text(default="", aliases=("args",)), "pattern": Text(),
        "runlevel": Text(default="default"), "sleep": Integer(), "use": Text(default="auto"),
    },
    open_ended=True,  # what only the host's own service manager knows (daemon_reload, masked, runlevels) goes to it
    returns={"name": "The service.", "state": "The state asked for.", "status": "What systemd shows of it."},
    examples=["service: {name: postgresql, state: started, enabled: true}"],
)


def act(system, args):
    manager = args.use if args.use and args.use != "auto" else distribution.service_manager(system)
    manager = manager.rsplit(".", 1)[-1]
    if manager in ("systemd", "systemd_service"):
        return systemd_service.act(system, _for_systemd(args))
    if manager == "openrc" or (manager == "service" and system.which("rc-service")):
        return keeping.keep(system, args, openrc.Service(system, args.name, args.arguments, args.runlevel or "default"))
    if system.stat("/etc/init.d/" + args.name) is None and system.which("systemctl") and manager != "sysvinit":
        return systemd_service.act(system, _for_systemd(args))
    service = sysv.Service(system, args.name, args.arguments, args.pattern, args.sleep or 1)
    if not service.is_found:
        raise ModuleFailure("Could not find the requested service %s (service manager of this host: %s)"
                            % (args.name, manager))
    levels = () if (args.runlevel or "default") == "default" else (args.runlevel,)
    return keeping.keep(system, args, service, levels)


def _for_systemd(args):
    known = systemd_service.SPEC.args
    every = Args((name, argument.default) for name, argument in known.items())
    aliases = {alias: name for name, argument in known.items() for alias in argument.aliases}
    for name, value in args.items():
        name = aliases.get(name, name)
        if name in known and value is not None:
            every[name] = value in (True, "yes", "true", "True", "on", "1", 1) if known[name].kind == "bool" else value
    return every
