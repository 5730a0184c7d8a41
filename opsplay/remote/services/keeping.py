"""Brings one script-run service (sysv, OpenRC) to the state and boot setting that a task asks for."""

from opsplay.remote.spec import ModuleFailure


def keep(system, args, service, runlevels=()):
    """The task's result. `service` is a Service of sysv.py or openrc.py."""
    if not service.is_found:
        raise ModuleFailure("Could not find the requested service %s" % service.name)
    before, after = {}, {}
    if args.get("enabled") is not None and service.is_enabled(runlevels) != args["enabled"]:
        before["enabled"], after["enabled"] = not args["enabled"], args["enabled"]
        if not system.check:
            service.enable(args["enabled"], runlevels)
    if args.get("state") is not None:
        _run(system, args["state"], service, before, after)
    asked = {"enabled": "enabled", "state": args.get("state")}
    status = {asked[key]: {"changed": key in after} for key in ("enabled", "state") if args.get(key) is not None}
    result = {"name": service.name, "changed": bool(after), "status": status}
    if args.get("enabled") is not None:
        result["enabled"] = args["enabled"]
    if args.get("state") is not None:
        result["state"] = "stopped" if args["state"] == "stopped" else "started"
    if system.diff and after:
        result["diff"] = {"before": before, "after": after}
    return result


def _run(system, state, service, before, after):
    running = service.is_running()
    verb = {"started": None if running else "start", "stopped": "stop" if running else None,
            "restarted": "restart", "reloaded": "reload" if running else "start"}[state]
    if verb is None:
        return
    before["state"], after["state"] = "running" if running else "stopped", state
    if system.check:
        return
    service.do(verb)
    if service.is_running() == (verb == "stop"):
        raise ModuleFailure("the service %s is %s after %s" % (service.name, "running" if verb == "stop" else "stopped", verb))
