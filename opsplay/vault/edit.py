"""Editing: plaintext in memory (tmpfs) for as long as the editor runs, overwritten and removed after it."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from opsplay.errors import Fault, OpsError, Where
from opsplay.vault.cipher import parse
from opsplay.vault.files import decrypted, read_file, write_file
from opsplay.vault.secrets import VaultSecrets

MEMORY = "/dev/shm"
_VIM = ("vim", "nvim", "vim.tiny", "vim.basic", "vim.nox")
# swap, undo and backup copies of a secret must not land beside the user's other files
_VIM_ARGUMENTS = ["-n", "-i", "NONE", "--cmd", "set noundofile nobackup nowritebackup"]

Edit = Callable[[str], None]


def memory_folder() -> str:
    """Where plaintext may lie: in memory where it can, else in the user's runtime or temporary folder."""
    for folder in (MEMORY, os.environ.get("XDG_RUNTIME_DIR", "")):
        if folder and os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK):
            return folder
    return tempfile.gettempdir()


@contextmanager
def plaintext_file(plaintext: bytes, name: str) -> Iterator[str]:
    """A file of mode 0600 in a folder of mode 0700; both are gone afterwards, their bytes overwritten."""
    with _ending_signals_raise():
        folder = tempfile.mkdtemp(prefix="opsplay-vault-", dir=memory_folder())
        try:
            path = os.path.join(folder, os.path.basename(name) or "vault")
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(plaintext)
            yield path
        finally:
            shred_folder(folder)


@contextmanager
def _ending_signals_raise() -> Iterator[None]:
    """SIGTERM and SIGHUP unwind the stack, so that what must be removed is removed."""

    def end(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    previous = {}
    try:
        for number in (signal.SIGTERM, signal.SIGHUP):
            previous[number] = signal.signal(number, end)
    except ValueError:  # not in the main thread
        yield
        return
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def shred_folder(folder: str) -> None:
    """Overwrites and removes every file below a folder, what an editor left there included."""
    for path, _, names in os.walk(folder):
        for name in names:
            _overwrite(os.path.join(path, name))
    shutil.rmtree(folder, ignore_errors=True)


def _overwrite(path: str) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        left = os.fstat(handle).st_size
        while left > 0:
            left -= os.write(handle, bytes(min(left, 65536)))
        os.fsync(handle)
    finally:
        os.close(handle)


def run_editor(path: str) -> None:
    """The user's editor on a file. Raises OpsError where it cannot start or fails."""
    command = shlex.split(os.environ.get("ANSIBLE_EDITOR") or os.environ.get("EDITOR") or "vi") or ["vi"]
    if os.path.basename(command[0]) in _VIM:
        command += _VIM_ARGUMENTS
    try:
        code = subprocess.run([*command, path], check=False).returncode
    except OSError as error:
        raise OpsError(
            "no-editor", f"{command[0]}: {error.strerror}", None, "Set EDITOR to an editor.", fault=Fault.USAGE
        ) from None
    if code:
        message = f"the editor ended with {code}; nothing was changed"
        raise OpsError("editor-failed", message, None, "Edit again.", fault=Fault.USAGE)


def edit_vault(path: str, secrets: VaultSecrets, edit: Edit = run_editor) -> bool:
    """Lets the user edit a vault file; kept under the password that opened it, and the id it names. Whether it changed."""
    data = read_file(path)
    plaintext, secret = decrypted(data, secrets, path)
    edited = edited_text(plaintext, path, edit)
    if edited == plaintext:
        return False
    write_file(path, secret.seal(edited, parse(data).vault_id).encode("ascii"))
    return True


def create_vault(path: str, secrets: VaultSecrets, vault_id: str | None = None, edit: Edit = run_editor) -> None:
    """A new vault file, its content from the editor."""
    if os.path.exists(path):
        message = "the file exists already"
        raise OpsError("vault-exists", message, Where(path), "Use: opsplay vault edit", fault=Fault.USAGE)
    secret = secrets.secret_for(vault_id)
    write_file(path, secret.seal(edited_text(b"", path, edit)).encode("ascii"))


def edited_text(plaintext: bytes, name: str, edit: Edit) -> bytes:
    with plaintext_file(plaintext, name) as path:
        edit(path)
        with open(path, "rb") as file:
            return file.read()
