"""Wait until a port, a file or a text in one of them is there, or gone."""

import os
import time

from opsplay.remote.spec import Choice, Dictionary, Integer, Listing, ModuleFailure, Path, Spec, Text
from opsplay.remote.waiting import ACTIVE, Drained, FileLook, PortLook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SPEC = Spec(
    args={
        "host": Text(default="127.0.0.1", text="Name or address, as the managed host sees it."),
        "port": Integer(text="Port to try."),
        "path": Path(text="File to look for."),
        "search_regex": Text(text="What the file holds or the port says."),
        "state": Choice(
            "absent", "drained", "present", "started", "stopped", default="started", text="What to wait for."
        ),
        "timeout": Integer(default=300, text="Seconds until it counts as failed."),
        "connect_timeout": Integer(default=5, text="Seconds for one attempt to connect."),
        "delay": Integer(default=0, text="Seconds to wait first."),
        "sleep": Integer(default=1, text="Seconds between two looks."),
        "active_connection_states": Listing(elements=Text(), default=list(ACTIVE), text="What drained counts."),
        "exclude_hosts": Listing(elements=Text(), text="Peers that drained does not count."),
        "msg": Text(text="What to say when it took too long."),
    },
    returns={
        "elapsed": Integer(),
        "match_groups": Listing(),
        "match_groupdict": Dictionary(),
        "state": Text(),
        "port": Integer(),
        "path": Text(),
        "search_regex": Text(),
    },
    examples=("wait_for: {port: 5432, timeout: 60}", "wait_for: {path: /run/app.pid, state: absent}"),
    check="none",
)


def act(system: "System", args: "Args") -> "Dict[str, Any]":
    _check(args)
    if system.check:
        return {"changed": False, "skipped": True, "msg": "check mode does not wait"}
    started = time.time()
    time.sleep(args.delay)
    found = _until(args, started)
    return {
        "changed": False,
        "elapsed": int(time.time() - started),
        "state": args.state,
        "port": args.port,
        "path": args.path,
        "search_regex": args.search_regex,
        "match_groups": list(found.groups()) if hasattr(found, "groups") else [],
        "match_groupdict": found.groupdict() if hasattr(found, "groupdict") else {},
    }


def _check(args: "Args") -> "None":
    if args.port and args.path:
        raise ModuleFailure("port and path parameter can not both be passed to wait_for", elapsed=0)
    if args.path and args.state in ("stopped", "drained"):
        raise ModuleFailure(
            "state=%s should only be used for checking a port in the wait_for module" % args.state, elapsed=0
        )
    if args.exclude_hosts and args.state != "drained":
        raise ModuleFailure("exclude_hosts should only be with state=drained", elapsed=0)


def _until(args: "Args", started: "float") -> "Any":
    """Look until it holds. Without port and path it only waits for the timeout, as documented."""
    if not args.port and not args.path and args.state != "drained":
        time.sleep(args.timeout)
        return None
    look, complaint = _look(args)
    deadline = started + args.delay + args.timeout
    while True:
        found = look(max(0.1, min(args.connect_timeout, deadline - time.time())))
        if found:
            return found
        if time.time() >= deadline:
            raise ModuleFailure(args.msg or complaint, elapsed=int(time.time() - started))
        time.sleep(max(0, min(args.sleep, deadline - time.time())))


def _look(args: "Args") -> "Any":
    place = "%s:%s" % (args.host, args.port)
    gone = args.state in ("absent", "stopped")
    if args.state == "drained":
        return Drained(args).look, "Timeout when waiting for %s to drain" % place
    if args.path and gone:
        return lambda left: not os.path.exists(args.path), "Timeout when waiting for %s to be absent." % args.path
    if args.path:
        return FileLook(args.path, args.search_regex).look, _wanted("file %s" % args.path, args.path, args)
    port = PortLook(args.host, args.port, args.search_regex)
    if gone:
        return port.closed, "Timeout when waiting for %s to stop." % place
    return port.look, _wanted(place, place, args)


def _wanted(what: "str", place: "str", args: "Args") -> "str":
    if args.search_regex:
        return "Timeout when waiting for search string %s in %s" % (args.search_regex, place)
    return "Timeout when waiting for %s" % what
