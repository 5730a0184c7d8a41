"""Route: from an Address, ssh_config and ssh arguments to where and how exactly to log in, jump hosts included."""

from __future__ import annotations

import getpass
import os
import re
from dataclasses import field
from typing import Any

from opsplay.lazy_dataclass import dataclass
from opsplay.transport.protocol import Address, Unreachable
from opsplay.transport.ssh_options import ARGUMENTS_REMEDY, HELD_BACK, parse_arguments, settings_for

DEFAULT_IDENTITIES = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
DEFAULT_KNOWN_HOSTS = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
GLOBAL_KNOWN_HOSTS = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
JUMP_LIMIT = 8

_HOSTNAME = re.compile(r"\A[A-Za-z0-9_.:%][A-Za-z0-9_.:%-]*\Z")
_USER = re.compile(r"\A[^-\s\x00-\x1f\x7f'\"`$;&<>|(){}][^\s\x00-\x1f\x7f'\"`$;&<>|(){}]*\Z")


@dataclass(frozen=True, slots=True)
class Hop:
    """One host to log in to on the way, the last of them the target."""

    host: str
    hostname: str
    port: int
    user: str
    known_hosts: tuple[str, ...]
    identities: tuple[str, ...] = ()
    explicit: tuple[str, ...] = ()  # keys that were asked for, tried first
    identities_only: bool = False
    agent: str | None = ""  # "" the environment's, None no agent
    host_key_alias: str = ""
    checking: str = "refuse"  # unknown keys: refuse, new (accept and note), any
    password: str | None = field(default=None, repr=False)
    passphrase: str | None = field(default=None, repr=False)
    methods: tuple[str, ...] = ("publickey", "password", "keyboard-interactive")


@dataclass(frozen=True, slots=True)
class Route:
    """Jumps first, target last. `notices` is what an operator should know about the settings."""

    hops: tuple[Hop, ...]
    timeout: float
    proxy_command: str = ""
    keepalive: tuple[float, int] | None = None
    family: int = 0
    forward_agent: bool = False
    notices: tuple[str, ...] = ()


def find_route(address: Address) -> Route:
    """Raises Unreachable for names that no host or user can have."""
    options, extra = parse_arguments(address.ssh_args)
    notices = list(extra)
    name = _checked(address.hostname or address.host, _HOSTNAME, "host name")
    settings = settings_for(name, options)
    given = {"user": address.user, "port": address.port}
    target = _hop(address, name, settings, options, given, notices)
    jumps, command = _way(address, settings, options, notices, depth=0)
    return Route(
        (*jumps, target),
        _timeout(address, options, settings),
        _proxy_command(command, target) if command else "",
        _keepalive(settings),
        {"inet": 2, "inet6": 10}.get(str(settings.get("addressfamily", "any")), 0),
        str(settings.get("forwardagent", "no")) == "yes",
        tuple(notices),
    )


def _checked(text: str, allowed: re.Pattern[str], what: str) -> str:
    plain = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if not allowed.match(plain):
        raise Unreachable(
            f"bad-{what.replace(' ', '-')}", f"{text!r} can be no {what}", f"Correct the {what} in the inventory."
        )
    return plain


# -- from settings to hops


def _hop(
    address: Address,
    name: str,
    settings: dict[str, Any],
    options: dict[str, Any],
    given: dict[str, Any],
    notices: list[str],
) -> Hop:
    hostname = _checked(str(settings.get("hostname", name)), _HOSTNAME, "host name")
    user = str(options.get("user") or given.get("user") or settings.get("user") or getpass.getuser())
    port = options.get("port") or given.get("port") or settings.get("port") or 22
    explicit = _paths([address.private_key_file] if address.private_key_file else [], hostname, user)
    identities = settings.get("identityfile") or list(DEFAULT_IDENTITIES)
    return Hop(
        host=address.host,
        hostname=hostname,
        port=_port(port),
        user=_checked(user, _USER, "user name"),
        known_hosts=_known_hosts(address, settings),
        identities=_paths([identities] if isinstance(identities, str) else list(identities), hostname, user),
        explicit=explicit + _paths(options.get("identityfile", []), hostname, user),
        identities_only=str(settings.get("identitiesonly", "no")) == "yes",
        agent=_agent(settings),
        host_key_alias=str(settings.get("hostkeyalias", "")),
        checking=_checking(address, settings, options, name, notices),
        password=address.password,
        passphrase=address.private_key_passphrase,
        methods=_methods(settings),
    )


def _port(value: Any) -> int:
    try:
        port = int(value)
    except (TypeError, ValueError):
        port = 0
    if not 0 < port < 65536:
        raise Unreachable("bad-port", f"{value!r} can be no port", "Correct ansible_port in the inventory.")
    return port


def _paths(values: list[str], hostname: str, user: str) -> tuple[str, ...]:
    paths = []
    for value in values:
        text = os.path.expanduser(value)
        for token, meaning in (
            ("%d", os.path.expanduser("~")),
            ("%h", hostname),
            ("%r", user),
            ("%u", getpass.getuser()),
        ):
            text = text.replace(token, meaning)
        if text != "none":
            paths.append(text)
    return tuple(dict.fromkeys(paths))


def _known_hosts(address: Address, settings: dict[str, Any]) -> tuple[str, ...]:
    if address.known_hosts_file:
        chosen = [address.known_hosts_file]
    else:
        chosen = str(settings.get("userknownhostsfile") or " ".join(DEFAULT_KNOWN_HOSTS)).split()
    everyone = str(settings.get("globalknownhostsfile") or " ".join(GLOBAL_KNOWN_HOSTS)).split()
    return tuple(os.path.expanduser(path) for path in (*chosen, *everyone))


def _agent(settings: dict[str, Any]) -> str | None:
    chosen = str(settings.get("identityagent", "SSH_AUTH_SOCK"))
    if chosen == "none":
        return None
    return "" if chosen == "SSH_AUTH_SOCK" else os.path.expanduser(chosen)


def _checking(
    address: Address, settings: dict[str, Any], options: dict[str, Any], name: str, notices: list[str]
) -> str:
    """Only host_key_checking=False takes any key. `no` in ssh settings takes unknown ones, never changed ones."""
    if not address.host_key_checking:
        return "any"
    said = str(settings.get("stricthostkeychecking", "ask")).lower()
    if said in ("no", "off", "false"):
        notices.append(f"StrictHostKeyChecking={said} takes the key of {name} unseen if it is not known yet")
        return "new"
    return "new" if said == "accept-new" else "refuse"


def _methods(settings: dict[str, Any]) -> tuple[str, ...]:
    order = str(settings.get("preferredauthentications", "publickey,password,keyboard-interactive")).split(",")
    off = {
        method
        for key, methods in (
            ("pubkeyauthentication", ("publickey",)),
            ("passwordauthentication", ("password", "keyboard-interactive")),
        )
        if str(settings.get(key, "yes")) == "no"
        for method in methods
    }
    return tuple(method for method in order if method not in off)


def _way(
    address: Address, settings: dict[str, Any], options: dict[str, Any], notices: list[str], depth: int
) -> tuple[tuple[Hop, ...], str]:
    """The jump hosts, or the proxy command, to come by. Of both, the jumps win, as they are newer."""
    jumps = str(settings.get("proxyjump", "none"))
    if jumps.lower() == "none":
        command = str(settings.get("proxycommand", "none"))
        return (), "" if command.lower() == "none" else command
    if depth >= JUMP_LIMIT:
        raise Unreachable("bad-ssh-config", f"more than {JUMP_LIMIT} jump hosts lead to {address.host}: a circle?")
    hops: list[Hop] = []
    command = ""
    for index, text in enumerate(jumps.split(",")):
        name, given = _parse_jump(text.strip())
        theirs = settings_for(name, {key: options[key] for key in ("configfile",) if key in options})
        if index == 0:
            before, command = _way(address, theirs, options, notices, depth + 1)
            hops += before
        hops.append(_hop(_jump_address(address, name), name, theirs, {}, given, notices))
    return tuple(hops), command


def _parse_jump(text: str) -> tuple[str, dict[str, Any]]:
    user, _, place = text.removeprefix("ssh://").rpartition("@")
    match = re.fullmatch(r"(\[[^\]]+\]|[^:]+)(?::(\d+))?", place)
    if not match:
        raise Unreachable("bad-host-name", f"{text!r} can be no jump host", "Correct ProxyJump.")
    return _checked(match[1], _HOSTNAME, "host name"), {"user": user or None, "port": match[2]}


def _jump_address(address: Address, name: str) -> Address:
    """A jump host shares the checking of keys with the target, never its password."""
    return Address(name, hostname=name, host_key_checking=address.host_key_checking,
                   known_hosts_file=address.known_hosts_file, private_key_file=address.private_key_file,
                   private_key_passphrase=address.private_key_passphrase)  # fmt: skip


def _timeout(address: Address, options: dict[str, Any], settings: dict[str, Any]) -> float:
    value = options.get("connecttimeout")
    try:
        return float(value) if value is not None else address.timeout
    except ValueError:
        raise Unreachable("bad-ssh-arguments", f"ConnectTimeout={value} is no number", ARGUMENTS_REMEDY) from None


def _keepalive(settings: dict[str, Any]) -> tuple[float, int] | None:
    try:
        interval = float(settings.get("serveraliveinterval", 0))
        return (interval, int(settings.get("serveralivecountmax", 3))) if interval > 0 else None
    except (TypeError, ValueError):
        return None


def _proxy_command(command: str, target: Hop) -> str:
    """The user's own shell text; what comes from the inventory was checked to hold nothing that a shell reads."""
    command = command.replace(HELD_BACK, "%")
    for token, meaning in (("%%", "\0"), ("%h", target.hostname), ("%p", str(target.port)), ("%r", target.user),
                           ("%n", target.host), ("\0", "%")):  # fmt: skip
        if token == "%n" and token in command:
            _checked(meaning, _HOSTNAME, "host name")
        command = command.replace(token, meaning)
    return command
