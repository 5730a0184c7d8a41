"""Route: from an Address, ssh_config and ssh arguments to where and how exactly to log in, jump hosts included."""

from __future__ import annotations

import getpass
import glob
import io
import os
import re
import shlex
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from opsplay.transport.protocol import Address, Unreachable

DEFAULT_IDENTITIES = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
DEFAULT_KNOWN_HOSTS = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
GLOBAL_KNOWN_HOSTS = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
INCLUDE_DEPTH = 16
JUMP_LIMIT = 8
HELD_BACK = "\x01"
ARGUMENTS_REMEDY = "Correct ansible_ssh_common_args, ansible_ssh_extra_args or ssh_args."

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
    notices: tuple[str, ...] = ()


def find_route(address: Address) -> Route:
    """Raises Unreachable for names that no host or user can have."""
    options, extra = parse_arguments(address.ssh_args)
    notices = list(extra)
    name = _checked(address.hostname or address.host, _HOSTNAME, "host name")
    settings = _settings(name, options)
    given = {"user": address.user, "port": address.port}
    target = _hop(address, name, settings, options, given, notices)
    jumps, command = _way(address, settings, options, notices, depth=0)
    return Route(
        (*jumps, target),
        _timeout(address, options, settings),
        _proxy_command(command, target) if command else "",
        _keepalive(settings),
        {"inet": 2, "inet6": 10}.get(str(settings.get("addressfamily", "any")), 0),
        tuple(notices),
    )


def _checked(text: str, allowed: re.Pattern[str], what: str) -> str:
    plain = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if not allowed.match(plain):
        raise Unreachable(f"bad-{what.replace(' ', '-')}", f"{text!r} can be no {what}", f"Correct the {what} in the inventory.")
    return plain


# -- arguments as given to ssh

_WITH_VALUE = "BbcDEeFIiJLlmOopQRSWw"
_QUIET = {
    "controlmaster", "controlpersist", "controlpath", "compression", "forwardagent", "batchmode", "loglevel",
    "tcpkeepalive", "gssapiauthentication", "gssapidelegatecredentials", "kbdinteractiveauthentication", "requesttty",
    "challengeresponseauthentication", "connectionattempts", "visualhostkey", "checkhostip", "updatehostkeys",
    "hashknownhosts", "canonicalizehostname", "escapechar", "forwardx11", "ipqos", "numberofpasswordprompts",
}  # fmt: skip
_KNOWN = {
    "user", "port", "hostname", "identityfile", "identitiesonly", "identityagent", "proxyjump", "proxycommand",
    "connecttimeout", "userknownhostsfile", "globalknownhostsfile", "stricthostkeychecking", "hostkeyalias",
    "preferredauthentications", "passwordauthentication", "pubkeyauthentication", "serveraliveinterval",
    "serveralivecountmax", "addressfamily",
}  # fmt: skip


def parse_arguments(text: str) -> tuple[dict[str, Any], list[str]]:
    """Options of an ssh command line by their lower-case ssh_config names, and notices about what is not understood."""
    options: dict[str, Any] = {}
    notices: list[str] = []
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise Unreachable("bad-ssh-arguments", f"the ssh arguments cannot be read: {error}", ARGUMENTS_REMEDY) from None
    while words:
        word = words.pop(0)
        if not word.startswith("-") or len(word) < 2:
            notices.append(f"the ssh argument {word!r} is ignored")
        elif word[1] in _WITH_VALUE:
            value = word[2:] or (words.pop(0) if words else "")
            _take(word[1], value, options, notices)
        elif word[1] in "46":
            options.setdefault("addressfamily", "inet" if word[1] == "4" else "inet6")
    return options, notices


def _take(letter: str, value: str, options: dict[str, Any], notices: list[str]) -> None:
    names = {"p": "port", "l": "user", "J": "proxyjump", "F": "configfile"}
    if letter == "o":
        _take_option(value, options, notices)
    elif letter == "i":
        options.setdefault("identityfile", []).append(value)
    elif letter in names:
        options.setdefault(names[letter], value)
    else:
        notices.append(f"the ssh argument -{letter} is ignored")


def _take_option(text: str, options: dict[str, Any], notices: list[str]) -> None:
    key, _, value = re.sub(r"\s*[=\s]\s*", "=", text.strip(), count=1).partition("=")
    key, value = key.lower(), value.strip().strip('"')
    if key == "identityfile":
        options.setdefault(key, []).append(value)
    elif key in _KNOWN:
        options.setdefault(key, value)
    elif key not in _QUIET:
        notices.append(f"the ssh option {key} is ignored")


# -- ssh_config

def _settings(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """What ssh_config says about the name; options of the command line come before it."""
    chosen = options.get("configfile")
    paths = (os.path.expanduser(chosen),) if chosen else (os.path.expanduser("~/.ssh/config"), "/etc/ssh/ssh_config")
    if chosen == "none":
        paths = ()
    text = "\nMatch all\n".join(read_config(path) for path in paths)
    found = dict(_lookup(text, name)) if text.strip() else {}
    return {**found, **{key: value for key, value in options.items() if key != "configfile"}}


@lru_cache(maxsize=4096)
def _lookup(text: str, name: str) -> tuple[tuple[str, Any], ...]:
    found = _parse(text).lookup(name)
    return tuple((key, found[key]) for key in found)


@lru_cache(maxsize=8)
def _parse(text: str) -> Any:
    from paramiko import ConfigParseError, SSHConfig

    try:
        config = SSHConfig()
        config.parse(io.StringIO(text))
        return config
    except ConfigParseError as error:
        raise Unreachable("bad-ssh-config", f"ssh_config cannot be read: {error}") from None


def read_config(path: str, depth: int = 0) -> str:
    """The text of an ssh_config with its Include lines replaced; {} where there is none."""
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    lines: list[str] = []
    section = ""
    for line in text.splitlines():
        words = line.replace("=", " ", 1).split()
        keyword = words[0].lower() if words else ""
        if keyword == "include":
            lines += _included(path, line, depth)
            lines.append(section or "Match all")  # what follows belongs to the section that the line stands in
            continue
        if keyword in ("host", "match"):
            section = line
        # paramiko would fill in %p from ssh_config alone; the inventory's port comes before it.
        lines.append(line.replace("%", HELD_BACK) if keyword == "proxycommand" else line)
    return "\n".join(lines)


def _included(path: str, line: str, depth: int) -> list[str]:
    if depth >= INCLUDE_DEPTH:
        raise Unreachable("bad-ssh-config", f"{path}: Include is nested deeper than {INCLUDE_DEPTH}")
    base = os.path.dirname(path) if path.startswith("/etc/") else os.path.expanduser("~/.ssh")
    texts = []
    for pattern in shlex.split(line)[1:]:
        for found in sorted(glob.glob(os.path.join(base, os.path.expanduser(pattern)))):
            texts.append(read_config(found, depth + 1))
    return texts


# -- from settings to hops

def _hop(
    address: Address, name: str, settings: dict[str, Any], options: dict[str, Any], given: dict[str, Any], notices: list[str]
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
        for token, meaning in (("%d", os.path.expanduser("~")), ("%h", hostname), ("%r", user), ("%u", getpass.getuser())):
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
        theirs = _settings(name, {key: options[key] for key in ("configfile",) if key in options})
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


