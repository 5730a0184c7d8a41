"""VaultSecrets: the passwords of a run by their ids; opens vault texts, and says which ids it tried."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import field

from opsplay.errors import Fault, OpsError, Where
from opsplay.lazy_dataclass import dataclass
from opsplay.vault.cipher import DEFAULT_ID, NotVault, open_envelope, parse, seal
from opsplay.vault.passwords import PROMPTS, Ask, password_of, split_vault_id

_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Secret:
    """A password and the id it was given under; `salt` is for texts that shall come out the same each time."""

    vault_id: str
    password: bytes = field(repr=False)
    salt: bytes | None = field(default=None, repr=False)

    def seal(self, plaintext: bytes, vault_id: str | None = None) -> str:
        """A vault text that names the id unless that is `default`."""
        return seal(plaintext, self.password, vault_id or self.vault_id, self.salt)


@dataclass(frozen=True, slots=True)
class VaultSecrets:
    """`match_ids`: a text that names an id is tried with that id's passwords only."""

    secrets: tuple[Secret, ...] = ()
    match_ids: bool = False
    _opened: dict[str | bytes, bytes] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def load(
        cls,
        ids: Iterable[str],
        ask: Ask | None = None,
        *,
        default_id: str = DEFAULT_ID,
        match_ids: bool = False,
        confirm: bool = False,
        salt: str | None = None,
        warn: Callable[[str], None] | None = None,
    ) -> VaultSecrets:
        """From `ID@SOURCE` or `SOURCE` each, where SOURCE is a file, a script or `prompt`.

        With `warn` it is enough that one file or script gives a password: it is told of those that do not.
        Raises OpsError for the last one where none does.
        """
        secrets: list[Secret] = []
        left_out: list[OpsError] = []
        for name, source in (split_vault_id(text, default_id) for text in ids):
            try:
                secrets.append(Secret(name, password_of(name, source, ask, confirm), salt.encode() if salt else None))
            except OpsError as error:
                if warn is None or source in PROMPTS:
                    raise
                loading = (
                    "Error in vault password file loading"
                    if error.code == "vault-bad-password"
                    else "Error getting vault password file"
                )
                warn(f"{loading} ({name}): {error.message} ({source})")
                left_out.append(error)
        if left_out and not secrets:
            raise left_out[-1]
        return cls(tuple(secrets), match_ids)

    def __bool__(self) -> bool:
        return bool(self.secrets)

    @property
    def ids(self) -> list[str]:
        return list(dict.fromkeys(secret.vault_id for secret in self.secrets))

    def decrypt(self, text: str | bytes, where: Where | None = None) -> bytes:
        """The plaintext of a vault text. Raises OpsError naming the ids that were tried."""
        found = self._opened.get(text)
        if found is None:
            if len(self._opened) >= _REMEMBERED:
                self._opened.clear()
            found = self._opened[text] = self.open(text, where)[0]
        return found

    def open(self, text: str | bytes, where: Where | None = None) -> tuple[bytes, Secret]:
        """The plaintext and the secret that opened it; the passwords of the id that the text names go first."""
        try:
            envelope = parse(text)
        except NotVault as error:
            raise OpsError("vault-damaged", f"this is no vault text: {error}", where, "Encrypt it anew.") from None
        matching = [secret for secret in self.secrets if secret.vault_id == envelope.vault_id]
        others = [] if self.match_ids else [secret for secret in self.secrets if secret not in matching]
        for secret in (*matching, *others):
            plaintext = open_envelope(envelope, secret.password)
            if plaintext is not None:
                return plaintext, secret
        raise self._not_opened(envelope.vault_id, [secret.vault_id for secret in (*matching, *others)], where)

    def _not_opened(self, wanted: str, tried: list[str], where: Where | None) -> OpsError:
        if not self.secrets:
            message = "Attempting to decrypt but no vault secrets found"
            remedy = "Give one with --vault-password-file FILE, --vault-id ID@FILE or --ask-vault-pass."
        else:
            names = ", ".join(dict.fromkeys(tried)) or "none"
            message = (
                "Decryption failed (no vault secrets were found that could decrypt): "
                f"it names id {wanted}; ids tried: {names}"
            )
            remedy = f"Give the password of id {wanted}: --vault-id {wanted}@FILE."
        return OpsError("vault-not-opened", message, where, remedy, fault=Fault.USAGE)

    def encrypt(self, plaintext: bytes, vault_id: str | None = None) -> str:
        """A vault text under the password of that id, or the only one; it names the id unless that is `default`."""
        return self.secret_for(vault_id).seal(plaintext)

    def secret_for(self, vault_id: str | None) -> Secret:
        """The password to encrypt with. Several ids and none chosen is an error."""
        if not self.secrets:
            remedy = "Give one with --vault-password-file FILE, --vault-id ID@FILE or --ask-vault-pass."
            raise OpsError("vault-no-password", "encrypting needs a vault password", None, remedy, fault=Fault.USAGE)
        if vault_id is None and len(set(self.secrets)) > 1:
            names = ", ".join(secret.vault_id for secret in self.secrets)
            message = f"which id is to encrypt? The vault-ids {names} are available to encrypt"
            raise OpsError("vault-which-id", message, None, "Choose: --encrypt-vault-id ID.", fault=Fault.USAGE)
        for secret in self.secrets:
            if vault_id in (None, secret.vault_id):
                return secret
        message = f"Did not find a match for --encrypt-vault-id={vault_id} in the known vault-ids {self.ids}"
        raise OpsError("vault-no-password", message, None, f"Add --vault-id {vault_id}@FILE.", fault=Fault.USAGE)
