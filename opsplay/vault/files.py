"""Vault files: encrypt, decrypt, rekey and view them; replaced whole, their mode and owner kept."""

from __future__ import annotations

import os
import tempfile

from opsplay.errors import Fault, OpsError, Where
from opsplay.vault.cipher import is_vault
from opsplay.vault.secrets import Secret, VaultSecrets


def read_file(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise OpsError("cannot-read-file", message, Where(path), "Check the path.", fault=Fault.USAGE) from None


def write_file(path: str, data: bytes, mode: int = 0o600) -> None:
    """Replaces a file whole, or leaves it as it was; a new one is readable by its owner only."""
    path = os.path.realpath(path)
    try:
        known = os.stat(path) if os.path.exists(path) else None
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".opsplay-vault-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, known.st_mode & 0o7777 if known else mode)
            if known and os.geteuid() == 0:
                os.chown(temporary, known.st_uid, known.st_gid)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        message = f"cannot be written: {error.strerror}"
        raise OpsError(
            "cannot-write-file", message, Where(path), "Check the folder and its room.", fault=Fault.USAGE
        ) from None


def encrypted(data: bytes, secrets: VaultSecrets, vault_id: str | None, name: str) -> bytes:
    """The vault text of some data, which must be none yet."""
    if is_vault(data):
        remedy = "opsplay vault rekey changes its password, opsplay vault edit its content."
        raise OpsError("vault-already-encrypted", "it is already encrypted", Where(name), remedy, fault=Fault.USAGE)
    return secrets.encrypt(data, vault_id).encode("ascii")


def decrypted(data: bytes, secrets: VaultSecrets, name: str) -> tuple[bytes, Secret]:
    """The plaintext of a vault text, and the secret that opened it."""
    if not is_vault(data):
        message = "it is not vault-encrypted"
        raise OpsError("vault-not-encrypted", message, Where(name), "Nothing to do.", fault=Fault.USAGE)
    return secrets.open(data, Where(name))


def encrypt_file(path: str, secrets: VaultSecrets, vault_id: str | None = None, output: str | None = None) -> None:
    write_file(output or path, encrypted(read_file(path), secrets, vault_id, path))


def decrypt_file(path: str, secrets: VaultSecrets, output: str | None = None) -> None:
    write_file(output or path, decrypted(read_file(path), secrets, path)[0])


def rekey_file(path: str, secrets: VaultSecrets, new: Secret) -> None:
    """Encrypts the content anew, under another password and id."""
    plaintext, _ = decrypted(read_file(path), secrets, path)
    write_file(path, new.seal(plaintext).encode("ascii"))


def vaulted_string(plaintext: bytes, secrets: VaultSecrets, vault_id: str | None, name: str | None) -> str:
    """A value to paste into YAML: `NAME: !vault |` and the vault text below it."""
    lines = secrets.encrypt(plaintext, vault_id).strip().splitlines()
    return "\n".join([f"{name}: !vault |" if name else "!vault |", *(" " * 10 + line for line in lines)])
