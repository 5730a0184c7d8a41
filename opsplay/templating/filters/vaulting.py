"""Filters that encrypt and decrypt with a vault secret."""

from __future__ import annotations

from typing import Any

from opsplay.templating.texts import to_text


def _secret(secret: Any) -> bytes:
    if not isinstance(secret, (str, bytes)):
        raise TypeError(f"Secret passed is required to be a string, instead we got: {type(secret)}")
    return to_text(secret).encode()


def vault(
    data: Any,
    secret: Any,
    salt: Any = None,
    vault_id: str = "filter_default",
    wrap_object: bool = False,
    vaultid: str | None = None,
) -> str:
    """Encrypts a text with a vault secret."""
    from opsplay.vault.cipher import seal

    if not isinstance(data, (str, bytes)):
        raise TypeError(f"Can only vault strings, instead we got: {type(data)}")
    plaintext = to_text(data).encode("utf-8", "surrogateescape")
    return seal(plaintext, _secret(secret), vaultid or vault_id, to_text(salt).encode() if salt is not None else None)


def unvault(vault: Any, secret: Any, vault_id: str = "filter_default", vaultid: str | None = None) -> str:
    """Decrypts a text that vault encrypted; plain text is given back as it is."""
    from opsplay.templating.undefined import Marker, VaultExceptionMarker
    from opsplay.vault.cipher import is_vault, open_envelope, parse

    if isinstance(vault, VaultExceptionMarker):  # a `!vault` value of another password than the run's
        vault = vault.ciphertext
    if isinstance(vault, Marker):
        raise vault.error
    if not isinstance(vault, (str, bytes)):
        raise TypeError(f"Vault should be in the form of a string, instead we got: {type(vault)}")
    if not is_vault(vault):
        return to_text(vault)
    plaintext = open_envelope(parse(vault), _secret(secret))
    if plaintext is None:
        raise ValueError("Unable to decrypt: the secret does not fit")
    return plaintext.decode("utf-8", "surrogateescape")


FILTERS = {"unvault": unvault, "vault": vault}
