"""Where vault passwords come from: files, scripts, client scripts, the keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsplay.cli.vault_options import vault_sources
from opsplay.errors import OpsError
from opsplay.settings import Settings
from opsplay.vault.secrets import VaultSecrets


def write(path: Path, text: str, mode: int = 0o600) -> str:
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def password(source: str, **options: object) -> tuple[str, bytes]:
    secret = VaultSecrets.load([source], **options).secrets[0]  # type: ignore[arg-type]
    return secret.vault_id, secret.password


def test_a_file_loses_its_last_line_break(tmp_path: Path) -> None:
    path = write(tmp_path / "pw", "s p a c e s\n")
    assert password(path) == ("default", b"s p a c e s")
    assert password(f"dev@{path}") == ("dev", b"s p a c e s")
    assert password(path, default_id="ours") == ("ours", b"s p a c e s")


def test_a_path_may_hold_an_at_sign(tmp_path: Path) -> None:
    (tmp_path / "me@home").mkdir()
    assert password(write(tmp_path / "me@home" / "pw", "x")) == ("default", b"x")


def test_a_script_prints_it(tmp_path: Path) -> None:
    assert password(write(tmp_path / "pw.sh", "#!/bin/sh\necho from script $#\n", 0o700)) == (
        "default",
        b"from script 0",
    )


def test_a_client_script_is_told_the_id(tmp_path: Path) -> None:
    path = write(tmp_path / "keys-client.sh", '#!/bin/sh\necho "$1=$2"\n', 0o700)
    assert password(f"prod@{path}") == ("prod", b"--vault-id=prod")


@pytest.mark.parametrize(
    ("name", "text", "mode", "said"),
    [
        ("empty", "\n", 0o600, "is empty"),
        ("fails", "#!/bin/sh\necho no key here >&2\nexit 1\n", 0o700, "no key here"),
        ("unknown-client", "#!/bin/sh\nexit 2\n", 0o700, "does not know this vault id"),
        ("text", "just a password\n", 0o700, "cannot be run"),
        ("silent", "#!/bin/sh\n", 0o700, "is empty"),
    ],
)
def test_what_gives_no_password_is_said(tmp_path: Path, name: str, text: str, mode: int, said: str) -> None:
    with pytest.raises(OpsError) as caught:
        password(write(tmp_path / name, text, mode))
    assert said in caught.value.message and caught.value.remedy


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    for source in (str(tmp_path / "none"), str(tmp_path)):
        with pytest.raises(OpsError) as caught:
            password(source)
        assert caught.value.code == "vault-no-password"


def test_the_keyboard_is_asked() -> None:
    asked: list[str] = []

    def ask(prompt: str) -> str:
        asked.append(prompt)
        return "typed"

    assert password("dev@prompt", ask=ask) == ("dev", b"typed")
    assert password("prompt_ask_vault_pass", ask=ask) == ("default", b"typed")
    assert asked == ["Vault password (dev): ", "Vault password: "]
    assert password("prompt", ask=ask, confirm=True) == ("default", b"typed") and len(asked) == 4
    answers = iter(["one", "two"])
    with pytest.raises(OpsError, match="differ"):
        password("prompt", ask=lambda prompt: next(answers), confirm=True)
    with pytest.raises(OpsError, match="no terminal"):
        password("prompt")


def test_which_sources_settings_and_options_give() -> None:
    settings = Settings(vault_identity_list=("dev@a", "b"), vault_password_file="/etc/pw")
    assert vault_sources(settings, ["x@y"], ["f"], False) == ["dev@a", "b", "x@y", "default@f", "default@/etc/pw"]
    assert vault_sources(Settings(), [], [], False) == []
    assert vault_sources(Settings(), [], [], True) == ["default@prompt_ask_vault_pass"]
    assert vault_sources(Settings(), [], [], False, prompt=True) == ["default@prompt_ask_vault_pass"]


def test_one_source_that_gives_a_password_is_enough(tmp_path: Path) -> None:
    good, empty = write(tmp_path / "pw", "x"), write(tmp_path / "empty", "")
    failing = write(tmp_path / "pw.sh", "#!/bin/sh\nexit 3\n", 0o700)
    said: list[str] = []
    ids = [f"a@{tmp_path}/none", f"b@{tmp_path}", f"c@{empty}", f"d@{failing}", f"e@{good}"]
    secrets = VaultSecrets.load(ids, warn=said.append)
    assert secrets.ids == ["e"]
    assert [text.partition(":")[0] for text in said] == [
        "Error getting vault password file (a)", "Error getting vault password file (b)",
        "Error in vault password file loading (c)", "Error in vault password file loading (d)",
    ]  # fmt: skip
    with pytest.raises(OpsError, match="Did not find a match for --encrypt-vault-id=a in the known vault-ids"):
        secrets.encrypt(b"text", "a")


def test_no_source_at_all_that_gives_one_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="not found"):
        VaultSecrets.load([f"a@{tmp_path}/none"], warn=lambda text: None)


def test_a_fixed_salt_gives_the_same_text_each_time(tmp_path: Path) -> None:
    source = write(tmp_path / "pw", "x")
    salted = VaultSecrets.load([source], salt="salty")
    assert salted.encrypt(b"text") == salted.encrypt(b"text") != VaultSecrets.load([source]).encrypt(b"text")
    assert VaultSecrets.load([source]).decrypt(salted.encrypt(b"text")) == b"text"
