"""The vault format: samples/ were written by ansible-vault (ansible-core 2.19) with the password "correct horse"."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsplay.errors import OpsError, Where
from opsplay.vault.cipher import NotVault, is_vault, parse, seal
from opsplay.vault.secrets import Secret, VaultSecrets

SAMPLES = Path(__file__).parent / "samples"
PASSWORD = b"correct horse"
PLAIN = 'käse: "{{ x }}"\nlist: [1, 2]\n'.encode()
SECRETS = VaultSecrets((Secret("default", PASSWORD),))


@pytest.mark.parametrize(("name", "plain"), [("v1.1", PLAIN), ("v1.2", PLAIN), ("empty", b"")])
def test_what_ansible_vault_wrote_is_read(name: str, plain: bytes) -> None:
    text = (SAMPLES / f"{name}.txt").read_text()
    assert SECRETS.decrypt(text) == plain
    indented = "\n".join("    " + line for line in text.splitlines())
    assert SECRETS.decrypt(indented) == plain


@pytest.mark.parametrize(("name", "vault_id"), [("v1.1", "default"), ("v1.2", "dev")])
def test_what_we_write_is_the_same_to_the_byte(name: str, vault_id: str) -> None:
    text = (SAMPLES / f"{name}.txt").read_text()
    assert seal(PLAIN, PASSWORD, vault_id, salt=parse(text).salt).strip() == text.strip()


@settings(max_examples=20, deadline=None)
@given(st.binary(max_size=300), st.binary(min_size=1, max_size=40), st.sampled_from(["default", "dev"]))
def test_anything_comes_back(plain: bytes, password: bytes, vault_id: str) -> None:
    text = VaultSecrets((Secret(vault_id, password),)).encrypt(plain)
    assert is_vault(text) and parse(text).vault_id == vault_id
    assert VaultSecrets((Secret("other", b"no"), Secret(vault_id, password))).decrypt(text) == plain


def test_two_texts_of_one_value_differ() -> None:
    assert SECRETS.encrypt(b"x") != SECRETS.encrypt(b"x")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "$ANSIBLE_VAULT;1.0;AES256\n3030",
        "$ANSIBLE_VAULT;1.1;AES\n3030",
        "$ANSIBLE_VAULT;1.1;AES256\n3",
        "$ANSIBLE_VAULT;1.1;AES256\nzz",
        "$ANSIBLE_VAULT;1.1;AES256",
    ],
)
def test_what_is_damaged_is_said_to_be(text: str) -> None:
    with pytest.raises(NotVault):
        parse(text)
    with pytest.raises(OpsError) as caught:
        SECRETS.decrypt(text, Where("a.yml", 3, 5))
    assert caught.value.code == "vault-damaged" and caught.value.where == Where("a.yml", 3, 5)


def test_a_changed_byte_is_noticed() -> None:
    text = SECRETS.encrypt(b"secret")
    digits = text.rstrip("\n")
    changed = digits[:-1] + ("0" if digits[-1] != "0" else "1")
    with pytest.raises(OpsError):
        SECRETS.decrypt(changed)


def test_the_error_names_the_ids_tried() -> None:
    text = (SAMPLES / "v1.2.txt").read_text()
    wrong = VaultSecrets((Secret("prod", b"a"), Secret("test", b"b")))
    with pytest.raises(OpsError) as caught:
        wrong.decrypt(text, Where("group_vars/all.yml", 1, 1))
    assert caught.value.message == (
        "Decryption failed (no vault secrets were found that could decrypt): it names id dev; ids tried: prod, test"
    )
    assert "--vault-id dev@FILE" in caught.value.remedy
    with pytest.raises(OpsError, match="no vault secrets found"):
        VaultSecrets().decrypt(text)


def test_ids_may_have_to_match() -> None:
    text = (SAMPLES / "v1.2.txt").read_text()
    with pytest.raises(OpsError, match="ids tried: none"):
        VaultSecrets((Secret("prod", PASSWORD),), match_ids=True).decrypt(text)
    assert VaultSecrets((Secret("dev", PASSWORD),), match_ids=True).decrypt(text) == PLAIN


def test_passwords_are_never_printed() -> None:
    assert "horse" not in repr(SECRETS) + str(SECRETS) + repr(SECRETS.secrets)
    SECRETS.decrypt((SAMPLES / "v1.1.txt").read_text())
    assert "list" not in repr(SECRETS)
