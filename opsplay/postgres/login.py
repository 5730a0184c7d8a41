"""Login: how a task reaches its PostgreSQL: peer, password or service file, always through the host's connection."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from opsplay.errors import OpsError
from opsplay.remote.spec import Args, Argument, Choice, Dictionary, Integer, ModuleFailure, Path, Text

if TYPE_CHECKING:
    from opsplay.actions.context import Context

LOGIN: dict[str, Argument] = {
    "login_user": Text(default="postgres", aliases=("login",), text="The role to log in as."),
    "login_password": Text(default="", secret=True, text="Its password; none for peer."),
    "login_host": Text(default="", aliases=("host",), text="The server as the managed host sees it; empty: its unix socket."),
    "login_port": Integer(default=5432, aliases=("port",)),
    "login_unix_socket": Path(default="", aliases=("unix_socket",), text="The folder of the socket on the host."),
    "login_db": Text(default="postgres", aliases=("db", "database"), text="The database to log in to."),
    "ssl_mode": Choice("allow", "disable", "prefer", "require", "verify-ca", "verify-full", default="prefer"),
    "ca_cert": Path(aliases=("ssl_rootcert",)),
    "ssl_cert": Path(),
    "ssl_key": Path(),
    "service": Text(text="A service of the controller's pg_service.conf; it decides where to connect."),
    "connect_params": Dictionary(default={}, text="Further libpq parameters."),
    "session_role": Text(text="SET ROLE to this after the login."),
    "lock_timeout": Text(default="1s", text="Give up waiting for a lock after this long, so that nobody queues behind us."),
    "statement_timeout": Text(default="30min", text="No statement of ours runs longer."),
}
SOCKET_FOLDERS = ("/var/run/postgresql", "/tmp")


def with_login(arguments: dict[str, Argument]) -> dict[str, Argument]:
    """An action's arguments and the login's, without the names that the action uses itself."""
    taken = {alias for argument in arguments.values() for alias in argument.aliases} | set(arguments)
    login = {name: argument for name, argument in LOGIN.items() if name not in taken}
    return arguments | {name: _without(argument, taken) for name, argument in login.items()}


def _without(argument: Argument, taken: set[str]) -> Argument:
    if not taken.intersection(argument.aliases):
        return argument
    import copy

    free = copy.copy(argument)
    free.aliases = tuple(alias for alias in argument.aliases if alias not in taken)
    return free


@asynccontextmanager
async def parameters(context: Context, args: Args) -> AsyncIterator[dict[str, Any]]:
    """libpq's parameters for this task, good while the context is open."""
    if args.service:
        yield {"service": args.service} | args.connect_params
        return
    target = await _target(context, args)
    wants_tls = args.ssl_mode in ("require", "verify-ca", "verify-full")
    if wants_tls and not args.login_host:
        raise ModuleFailure("ssl_mode needs login_host: a unix socket has no TLS")
    async with await context.stream(target, become=isinstance(target, str)) as door:
        yield _tls(args, door) if wants_tls else {"host": door.folder, "port": door.number}


def _tls(args: Args, door: Any) -> dict[str, Any]:
    raise ModuleFailure(
        f"ssl_mode: {args.ssl_mode} cannot be had inside the SSH connection, which encrypts already; "
        "use service: to connect from the controller with TLS"
    )


async def _target(context: Context, args: Args) -> tuple[str, int] | str:
    by_socket = args.login_host == "localhost" and args.login_unix_socket  # as documented: localhost by that socket
    if args.login_host and not args.login_host.startswith("/") and not by_socket:
        return args.login_host, args.login_port
    named = args.login_unix_socket or args.login_host
    folders = (named,) if named else SOCKET_FOLDERS
    paths = [folder if "/.s.PGSQL." in folder else f"{folder.rstrip('/')}/.s.PGSQL.{args.login_port}" for folder in folders]
    if len(paths) == 1:
        return paths[0]
    for path in paths:
        found = await context.module("stat", {"path": path, "get_checksum": False, "get_mime": False, "get_attributes": False})
        if found.get("stat", {}).get("exists"):
            return path
    raise ModuleFailure(f"no PostgreSQL socket is at {' or '.join(paths)} on the host: is the server running? See login_unix_socket, login_port")


def unreachable(problem: OpsError) -> str:
    return f"unable to connect to database: {problem.message}"
