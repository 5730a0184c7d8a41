"""Login: from a connected socket to an authenticated wire; the host's key is checked before anything is said to it.

Runs in a thread, because paramiko's key exchange and authentication block. Who called closes the socket when time is
over; everything here then ends with an error.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import field
from functools import lru_cache
from typing import Any

import paramiko

from opsplay.lazy_dataclass import dataclass
from opsplay.transport import known_hosts
from opsplay.transport.protocol import Unreachable
from opsplay.transport.ssh_route import Hop
from opsplay.transport.ssh_wire import SshWire

AUTH_REMEDY = "Try: ssh -p {port} {user}@{hostname}   Set ansible_user, ansible_ssh_private_key_file or --ask-pass."


class DroppedEarly(Exception):
    """The server closed the connection before it said who it is: it has too many logins under way (MaxStartups)."""


@dataclass(slots=True)
class Attempts:
    """What was tried, for the message when nothing worked."""

    tried: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    allowed: set[str] = field(default_factory=set)


def log_in(wire: SshWire, hop: Hop, notices: list[str]) -> None:
    """Negotiates, checks the key, authenticates. Raises Unreachable or DroppedEarly; the caller then closes the wire."""
    keys = known_hosts.keys_of(hop.known_hosts, hop.host_key_alias or known_hosts.host_name(hop.hostname, hop.port))
    _ask_for(wire, known_hosts.known_kinds(keys))
    _negotiate(wire, hop)
    shown = wire.get_remote_server_key()
    showing = known_hosts.Showing(
        hop.host, hop.hostname, hop.port, shown.get_name(), shown.asbytes(), hop.known_hosts, hop.host_key_alias
    )
    notice = known_hosts.check(showing, keys, hop.checking == "new", hop.checking == "any")
    if notice:
        notices.append(notice)
    _authenticate(wire, hop)


def _ask_for(wire: SshWire, kinds: tuple[str, ...]) -> None:
    """Key types known for the host come first, so that a host with several keys shows one that can be checked."""
    options = wire.get_security_options()
    wanted = {"rsa-sha2-512", "rsa-sha2-256"} if "ssh-rsa" in kinds else set()
    wanted |= set(kinds)
    offered = list(options.key_types)
    options.key_types = sorted(offered, key=lambda kind: (kind not in wanted, offered.index(kind)))


def _negotiate(wire: SshWire, hop: Hop) -> None:
    try:
        wire.start_client(timeout=None)
    except (paramiko.SSHException, EOFError, OSError) as error:
        text = str(error)
        if "banner" in text and not wire.remote_version:
            raise DroppedEarly(text) from error
        raise Unreachable(
            "ssh-negotiation-failed",
            f"{hop.hostname}:{hop.port} and opsplay cannot agree on a secure connection: {text or type(error).__name__}",
            f"Look at it with: ssh -v -p {hop.port} {hop.hostname}",
        ) from error


# -- authentication


def _authenticate(wire: SshWire, hop: Hop) -> None:
    attempts = Attempts()
    for method in hop.methods:
        for what, try_it in _trials(wire, hop, method, attempts):
            if _succeeds(wire, what, try_it, attempts):
                return
    raise _refused(hop, attempts)


def _trials(wire: SshWire, hop: Hop, method: str, attempts: Attempts) -> Iterator[tuple[str, Callable[[], Any]]]:
    if method == "publickey":
        for what, key in _keys(hop, attempts):
            yield what, lambda key=key: wire.auth_publickey(hop.user, key)  # type: ignore[misc]
    elif method == "password" and hop.password is not None:
        yield "the password", lambda: wire.auth_password(hop.user, hop.password, fallback=False)
    elif method == "keyboard-interactive" and hop.password is not None:
        yield (
            "the password (keyboard-interactive)",
            lambda: wire.auth_interactive(hop.user, _answerer(hop.password or "")),
        )


def _succeeds(wire: SshWire, what: str, try_it: Callable[[], Any], attempts: Attempts) -> bool:
    """True when logged in. A host that wants a second proof (a key and a password) is asked on."""
    try:
        further = try_it()
    except paramiko.BadAuthenticationType as error:
        attempts.allowed.update(error.allowed_types)
        attempts.skipped.append(f"{what} (not allowed)")
        return False
    except paramiko.AuthenticationException:
        if not wire.active:
            raise
        attempts.tried.append(what)
        return False
    attempts.tried.append(what)
    attempts.allowed.update(further or ())
    return bool(wire.is_authenticated())


def _answerer(password: str) -> Callable[[str, str, list[tuple[str, bool]]], list[str]]:
    """Answers one hidden question with the password; anything else, and a second round, with nothing."""
    asked: list[bool] = []

    def answer(title: str, instructions: str, prompts: list[tuple[str, bool]]) -> list[str]:
        if not prompts:
            return []
        first = not asked
        asked.append(True)
        return [password if first and not echo and len(prompts) == 1 else "" for _, echo in prompts]

    return answer


def _keys(hop: Hop, attempts: Attempts) -> Iterator[tuple[str, Any]]:
    """Keys that were asked for, then the agent's, then those of ssh_config; each once."""
    seen: set[bytes] = set()
    agent = _agent_keys(hop)
    wanted = {_public_blob(path) for path in (*hop.explicit, *hop.identities)} if hop.identities_only else None
    sources: list[tuple[str, Any]] = []
    sources += _file_keys(hop.explicit, hop.passphrase, attempts, missing_matters=True)
    sources += [("a key of the agent", key) for key in agent if wanted is None or key.asbytes() in wanted]
    yield from _fresh(sources, seen)
    yield from _fresh(_file_keys(hop.identities, hop.passphrase, attempts), seen)


def _fresh(sources: list[tuple[str, Any]], seen: set[bytes]) -> Iterator[tuple[str, Any]]:
    for what, key in sources:
        blob = key.asbytes()
        if blob not in seen:
            seen.add(blob)
            yield what, key


def _agent_keys(hop: Hop) -> list[Any]:
    if hop.agent is None or not (hop.agent or os.environ.get("SSH_AUTH_SOCK")):
        return []
    try:
        if not hop.agent:
            return list(paramiko.Agent().get_keys())
        return list(_SocketAgent(hop.agent).get_keys())
    except (paramiko.SSHException, OSError):
        return []


class _SocketAgent(paramiko.agent.AgentSSH):  # type: ignore[misc]
    """An agent at a path of its own (IdentityAgent)."""

    def __init__(self, path: str) -> None:
        super().__init__()
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.connect(path)
        self._connect(connection)


def _file_keys(
    paths: tuple[str, ...], passphrase: str | None, attempts: Attempts, missing_matters: bool = False
) -> list[tuple[str, Any]]:
    found = []
    for path in paths:
        try:
            found.append((f"the key {path}", _load(path, os.stat(path).st_mtime_ns, passphrase)))
        except FileNotFoundError:
            if missing_matters:
                attempts.skipped.append(f"{path} (not there)")
        except (paramiko.PasswordRequiredException, TypeError):
            attempts.skipped.append(f"{path} (needs a passphrase)")
        except (OSError, ValueError, paramiko.SSHException) as error:
            wrong = "passphrase" if passphrase else str(error)[:80]
            attempts.skipped.append(f"{path} (cannot be read: {wrong})")
    return found


@lru_cache(maxsize=64)
def _load(path: str, mtime: int, passphrase: str | None) -> Any:
    """The key, with its certificate where there is one beside it. Kept: the key derivation of a passphrase takes long."""
    return paramiko.PKey.from_path(path, passphrase.encode() if passphrase else None)


def _public_blob(path: str) -> bytes:
    import base64

    try:
        with open(path + ".pub", encoding="utf-8", errors="replace") as handle:
            return base64.b64decode(handle.read().split()[1])
    except (OSError, IndexError, ValueError):
        return b""


def _refused(hop: Hop, attempts: Attempts) -> Unreachable:
    tried = ", ".join(attempts.tried) or "nothing"
    message = f"{hop.user}@{hop.hostname} was not let in; tried: {tried}"
    if attempts.skipped:
        message += f"; left out: {', '.join(attempts.skipped)}"
    if attempts.allowed:
        message += f"; the host allows: {', '.join(sorted(attempts.allowed))}"
    return Unreachable("auth-failed", message, AUTH_REMEDY.format(port=hop.port, user=hop.user, hostname=hop.hostname))
