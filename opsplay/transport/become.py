"""Become: the command line of sudo, su and doas, and what their silence, prompts and complaints mean."""

from __future__ import annotations

import secrets
import shlex

from opsplay.errors import Fault
from opsplay.lazy_dataclass import dataclass
from opsplay.transport.protocol import Become, BecomeFailed

METHODS = ("sudo", "su", "doas")
NO_PROGRAM_STATUS = 95
NO_PROMPT = "Timed out waiting for become success or become password prompt, waiting for privilege escalation prompt"
UNANSWERED = ("become-prompt-unknown", "become-timeout")  # a host like that cannot be reached as that user at all


@dataclass(frozen=True, slots=True)
class Elevation:
    """How to run a script as somebody else. The password goes out only behind exactly `prompt`, which follows `start`."""

    command: str  # for a POSIX shell
    start: bytes  # printed to stderr right before the program that may ask
    prompt: tuple[bytes, ...]  # any of them; none where none is expected
    password: bytes


def elevate(become: Become, script: str, pty: bool) -> Elevation:
    """The script wrapped for the method. Raises BecomeFailed for a method that is not there."""
    if become.method not in METHODS:
        raise _failed(
            "become-method-unknown",
            f'no become method is called "{become.method}"',
            f"Use one of: {', '.join(METHODS)}.",
            Fault.CONTENT,
        )
    if "\n" in (become.password or ""):
        raise _failed("become-wrong-password", "the become password holds a line break", "Check the password's source.")
    key = secrets.token_hex(16)
    compose = {"sudo": _sudo, "su": _su, "doas": _doas}[become.method]
    words, prompts = compose(become, key)
    start = f"[opsplay {secrets.token_hex(8)}]"
    inner = f"/bin/sh -c {shlex.quote(script)}"
    command = f"{words} {shlex.quote(inner) if become.method == 'su' else inner}"
    program = shlex.split(become.exe or become.method)[0]
    there = f"command -v {shlex.quote(program)} >/dev/null 2>&1 || exit {NO_PROGRAM_STATUS}; "
    if become.chdir:
        there += f"cd {shlex.quote(become.chdir)} || exit; "
    quiet = there + ("stty -echo 2>/dev/null; " if pty else "")
    # Two words, so that a shell that echoes the command line does not print the mark itself.
    return Elevation(
        f'{quiet}printf "%s%s" {shlex.quote(start[:9])} {shlex.quote(start[9:])} >&2; exec {command}',
        start.encode(),
        tuple(text.encode() for text in prompts),
        ((become.password or "") + "\n").encode(),
    )


def words_of(become: Become) -> str:
    """The words in front of what is run, for somebody to read."""
    compose = {"sudo": _sudo, "su": _su, "doas": _doas}.get(become.method)
    return compose(become, "...")[0] if compose else become.method


def _sudo(become: Become, key: str) -> tuple[str, tuple[str, ...]]:
    flags = shlex.split("-H -S -n" if become.flags is None else become.flags)
    exe = become.exe or "sudo"
    if become.password is None:
        return f"{_join(exe, flags)} -u {shlex.quote(become.user)} --", ()
    prompt = f"[opsplay sudo {key}] password:"
    flags = [flag for flag in flags if flag not in ("-n", "--non-interactive")]
    if "-S" not in flags:
        flags.append("-S")
    return f"{_join(exe, flags)} -p {shlex.quote(prompt)} -u {shlex.quote(become.user)} --", (prompt,)


def _su(become: Become, key: str) -> tuple[str, tuple[str, ...]]:
    exe = f"LC_ALL=C {_join(become.exe or 'su', shlex.split(become.flags or ''))}"
    known = [f"{text}{colon}" for text in become.prompts for colon in (": ", ":", "： ", "：")] or ["Password: "]
    return f"env {exe} {shlex.quote(become.user)} -c", tuple(known) if become.password is not None else ()


def _doas(become: Become, key: str) -> tuple[str, tuple[str, ...]]:
    flags = shlex.split(become.flags or "")
    if become.password is None:
        return f"{_join(become.exe or 'doas', ['-n', *flags])} -u {shlex.quote(become.user)} --", ()
    return f"{_join(become.exe or 'doas', flags)} -u {shlex.quote(become.user)} --", ("password: ",)


def _join(exe: str, flags: list[str]) -> str:
    return " ".join([*(shlex.quote(part) for part in shlex.split(exe)), *map(shlex.quote, flags)])


def needs_terminal(text: str) -> bool:
    """True when the program refused only because it has no terminal."""
    lowered = text.lower()
    return any(word in lowered for word in ("tty", "terminal", "askpass"))


_COMPLAINTS = (
    (("a password is required", "authentication required", "authorization required"), "become-password-needed"),
    (("expired", "validation failure", "change your password", "account is locked"), "become-expired"),
    (("not in the sudoers", "not allowed", "may not run", "operation not permitted"), "become-not-allowed"),
    (("incorrect password", "authentication failure", "sorry, try again", "authentication failed",
      "permission denied"), "become-wrong-password"),
    (("unknown user", "does not exist", "unknown uid", "invalid user", "no passwd entry"), "become-user-unknown"),
    (("not found", "no such file", "must be owned by uid 0", "effective uid is not 0"), "become-program-missing"),
)  # fmt: skip

_REMEDIES = {
    "become-password-needed": "Give the password: --ask-become-pass, or ansible_become_password from a vault.",
    "become-expired": "An administrator of the host has to renew the account or its password.",
    "become-not-allowed": "Allow it in the host's sudoers (or doas.conf), or become somebody else: ansible_become_user.",
    "become-wrong-password": "Check the become password: --ask-become-pass, or ansible_become_password.",
    "become-user-unknown": "Check become_user: the host does not know that user.",
    "become-program-missing": "Install the program on the host, or choose another become_method: sudo, su, doas.",
    "become-no-terminal": "The host's policy (requiretty) refused even a terminal; remove requiretty for this user.",
    "become-timeout": "Log in by hand and try it there: the program neither asked for a password nor started.",
    "become-prompt-unknown": "Only a plain password can be given; a second factor or another question cannot be answered.",
    "become-refused": "Log in by hand and try the same there.",
}


def verdict(
    become: Become, text: str, asked_again: bool = False, asks_unknown: bool = False, status: int | None = None
) -> BecomeFailed:
    """What a become program's end, with this on its stderr, means."""
    code = "become-wrong-password" if asked_again else _meaning(become, text, asks_unknown)
    if status == NO_PROGRAM_STATUS:
        code, text = "become-program-missing", f"{become.exe or become.method}: not found"
    said = " ".join(text.split())[-300:]
    message = f"{become.method} did not give the privileges of {become.user}"
    if code == "become-prompt-unknown":
        message = f"{NO_PROMPT} of {become.method}: {message}"
    if code == "become-wrong-password":
        message += f": Incorrect {become.method} password"
    if said and not asked_again:
        message += f': it said "{said}"'
    return _failed(code, message, _REMEDIES[code])


def _meaning(become: Become, text: str, asks_unknown: bool) -> str:
    lowered = text.lower()
    for words, meaning in _COMPLAINTS:
        if any(word in lowered for word in words):
            return meaning
    if not asks_unknown:
        return "become-refused"
    return "become-prompt-unknown" if become.password is not None else "become-password-needed"


def timed_out(become: Become, seconds: float) -> BecomeFailed:
    message = f"{NO_PROMPT} of {become.method}: it did not answer within {seconds:g} seconds"
    return _failed("become-timeout", message, _REMEDIES["become-timeout"])


def _failed(code: str, message: str, remedy: str, fault: Fault = Fault.HOST) -> BecomeFailed:
    return BecomeFailed(code, message, None, remedy, fault=fault)
