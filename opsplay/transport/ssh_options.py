"""What ssh arguments and ssh_config say, by ssh_config's lower-case option names; read, not yet judged."""

from __future__ import annotations

import glob
import io
import os
import re
import shlex
from functools import lru_cache
from pathlib import Path
from typing import Any

from opsplay.transport.protocol import Unreachable

INCLUDE_DEPTH = 16
HELD_BACK = "\x01"  # stands for % in a ProxyCommand until our own tokens are filled in
ARGUMENTS_REMEDY = "Correct ansible_ssh_common_args, ansible_ssh_extra_args or ssh_args."

# -- arguments as given to ssh

_WITH_VALUE = "BbcDEeFIiJLlmOopQRSWw"
_QUIET = {
    "controlmaster", "controlpersist", "controlpath", "compression", "batchmode", "loglevel",
    "tcpkeepalive", "gssapiauthentication", "gssapidelegatecredentials", "kbdinteractiveauthentication", "requesttty",
    "challengeresponseauthentication", "connectionattempts", "visualhostkey", "checkhostip", "updatehostkeys",
    "hashknownhosts", "canonicalizehostname", "escapechar", "forwardx11", "ipqos", "numberofpasswordprompts",
}  # fmt: skip
_KNOWN = {
    "user", "port", "hostname", "identityfile", "identitiesonly", "identityagent", "proxyjump", "proxycommand",
    "connecttimeout", "userknownhostsfile", "globalknownhostsfile", "stricthostkeychecking", "hostkeyalias",
    "preferredauthentications", "passwordauthentication", "pubkeyauthentication", "serveraliveinterval",
    "serveralivecountmax", "addressfamily", "forwardagent",
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
            raise Unreachable(
                "bad-ssh-arguments",
                f"the ssh argument {word!r} is no option: ssh would take it for the host",
                ARGUMENTS_REMEDY,
            )
        elif word[1] in _WITH_VALUE:
            value = word[2:] or (words.pop(0) if words else "")
            _take(word[1], value, options, notices)
        elif word[1] in "46":
            options.setdefault("addressfamily", "inet" if word[1] == "4" else "inet6")
        elif word[1] in "Aa":
            options.setdefault("forwardagent", "yes" if word[1] == "A" else "no")
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


def settings_for(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """What ssh_config says about the name; options of the command line come before it."""
    chosen = options.get("configfile")
    paths: tuple[str, ...] = (
        (os.path.expanduser(chosen),) if chosen else (os.path.expanduser("~/.ssh/config"), "/etc/ssh/ssh_config")
    )
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
