"""Vault passwords: from a file, a script, a client script or the keyboard; never from an argument."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable

from opsplay.errors import Fault, OpsError, Where

Ask = Callable[[str], str]
PROMPTS = ("prompt", "prompt_ask_vault_pass")
SCRIPT_SECONDS = 60
BAD = "vault-bad-password"  # there is a file, and what it holds is no password
_CLIENT = re.compile(r"-client(\.\w+)?$")


def split_vault_id(text: str, default: str) -> tuple[str, str]:
    """The id and the source of `--vault-id ID@SOURCE`; a lone SOURCE gets the default id."""
    name, at, source = text.rpartition("@") if "@" in text and not os.path.exists(text) else ("", "", text)
    if at:
        name, _, source = text.partition("@")
    return name or default, source


def password_of(vault_id: str, source: str, ask: Ask | None, confirm: bool = False) -> bytes:
    """The password that a source gives for an id. Raises OpsError where there is none."""
    if source in PROMPTS:
        return _asked(vault_id, source, ask, confirm)
    path = os.path.expanduser(source)
    if not os.path.exists(path):
        raise _trouble("The vault password file was not found", source, "Check the path.")
    if os.path.isdir(path):
        raise _trouble("The vault password file can not be a directory", source, "Name a file.")
    runnable = os.access(path, os.X_OK) and os.path.isfile(path)
    password = _from_script(vault_id, path) if runnable else _from_file(vault_id, path)
    if not password:
        raise _trouble(
            "Invalid vault password was provided: it is empty", source, "Write the password on its first line.", BAD
        )
    return password


def _trouble(message: str, path: str, remedy: str, code: str = "vault-no-password") -> OpsError:
    return OpsError(code, message, Where(path), remedy, fault=Fault.USAGE)


def _asked(vault_id: str, source: str, ask: Ask | None, confirm: bool) -> bytes:
    if ask is None:
        raise _trouble(f"the vault password of id {vault_id} is to be asked for, and there is no terminal", source,
                       "Use a password file: --vault-password-file FILE.")  # fmt: skip
    named = "" if source == "prompt_ask_vault_pass" else f" ({vault_id})"
    password = ask(f"{'New vault' if confirm else 'Vault'} password{named}: ")
    if confirm and ask(f"Confirm {'new ' if confirm else ''}vault password{named}: ") != password:
        raise _trouble("the two passwords differ", source, "Type the same password twice.")
    if not password:
        raise _trouble("an empty vault password protects nothing", source, "Type a password.")
    return password.encode("utf-8")


def _from_file(vault_id: str, path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(1_000_000).strip()
    except OSError as error:
        message = f"the vault password file of id {vault_id} cannot be read: {error.strerror}"
        raise _trouble(message, path, "Check its permissions.", BAD) from None


def _from_script(vault_id: str, path: str) -> bytes:
    """What an executable prints. One whose name ends in -client is told which id is wanted."""
    argv = [os.path.abspath(path)]
    if _CLIENT.search(os.path.basename(path)):
        argv += ["--vault-id", vault_id]
    try:
        run = subprocess.run(argv, capture_output=True, timeout=SCRIPT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise _trouble(f"the script took longer than {SCRIPT_SECONDS} s", path, "Run it by hand to see why.") from None
    except OSError as error:
        remedy = "A password file must not be executable; a script needs a #! line. chmod -x makes it a file."
        raise _trouble(f"the script cannot be run: {error.strerror}", path, remedy) from None
    if run.returncode:
        said = run.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or ["it said nothing"]
        unknown = " (it does not know this vault id)" if run.returncode == 2 else ""
        message = f"the script for vault id {vault_id} ended with {run.returncode}{unknown}: {said[0][:200]}"
        raise _trouble(message, path, "Run it by hand to see why.", BAD)
    return run.stdout.strip()
