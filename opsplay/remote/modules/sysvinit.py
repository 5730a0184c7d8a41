"""Manage services that are started by /etc/init.d scripts."""

from opsplay.remote.services import keeping, sysv
from opsplay.remote.spec import Choice, Flag, Integer, Listing, Spec, Text

SPEC = Spec(
    args={
        "name": Text(required=True, aliases=("service",)),
        "state": Choice("restarted", "started", "stopped", "reloaded"),
        "enabled": Flag(), "sleep": Integer(default=1, text="Seconds between stop and start of a restart."),
        "pattern": Text(text="Part of a command line that says it runs, for scripts without a status."),
        "runlevels": Listing(), "arguments": Text(aliases=("args",)), "daemonize": Flag(default=False),
    },
    one_of=(("state", "enabled"),),
    returns={"name": "The service.", "results": "What was done."},
    examples=["sysvinit: {name: apache2, state: started, enabled: true}"],
)


def act(system, args):
    service = sysv.Service(system, args.name, args.arguments, args.pattern, args.sleep or 1)
    result = keeping.keep(system, args, service, [str(level) for level in args.runlevels or ()])
    result["results"] = {"attempts": 1, "changed": result["changed"], "name": args.name, "status": result["status"]}
    return result
