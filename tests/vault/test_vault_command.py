"""`opsplay vault` with real files and a real editor process; fault row 6: no plaintext is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from opsplay.cli.vault import vault
from opsplay.errors import OpsError
from opsplay.source.nodes import MapNode, ScalarNode, VaultText
from opsplay.source.yaml_reader import parse_yaml
from opsplay.vault.cipher import parse
from opsplay.vault.edit import MEMORY, memory_folder
from opsplay.vault.secrets import Secret, VaultSecrets

SECRETS = VaultSecrets((Secret("default", b"pw"), Secret("dev", b"dev pw")))


@pytest.fixture
def keys(tmp_path: Path) -> list[str]:
    (tmp_path / "pw").write_text("pw\n")
    (tmp_path / "dev").write_text("dev pw\n")
    return ["--vault-password-file", str(tmp_path / "pw")]


def run(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(vault, list(arguments), input=text, catch_exceptions=False)


def write(path: Path, data: str, mode: int = 0o640) -> Path:
    path.write_text(data)
    path.chmod(mode)
    return path


def left_behind() -> list[str]:
    return [name for name in os.listdir(memory_folder()) if name.startswith("opsplay-vault-")]


def test_encrypt_and_decrypt_in_place_keep_the_mode(tmp_path: Path, keys: list[str]) -> None:
    path = write(tmp_path / "a.yml", "a: 1\n")
    run("encrypt", str(path), *keys)
    assert SECRETS.decrypt(path.read_text()) == b"a: 1\n" and path.stat().st_mode & 0o777 == 0o640
    with pytest.raises(OpsError, match="already encrypted"):
        run("encrypt", str(path), *keys)
    assert run("view", str(path), *keys).stdout == "a: 1\n"
    run("decrypt", str(path), *keys)
    assert path.read_text() == "a: 1\n" and path.stat().st_mode & 0o777 == 0o640
    with pytest.raises(OpsError, match="not vault-encrypted"):
        run("decrypt", str(path), *keys)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["a.yml", "dev", "pw"]


def test_a_link_stays_a_link(tmp_path: Path, keys: list[str]) -> None:
    path = write(tmp_path / "real.yml", "a: 1\n")
    link = tmp_path / "link.yml"
    link.symlink_to(path)
    run("encrypt", str(link), *keys)
    assert link.is_symlink() and SECRETS.decrypt(path.read_text()) == b"a: 1\n"


def test_stdin_to_stdout_and_output(tmp_path: Path, keys: list[str]) -> None:
    text = run("encrypt", *keys, text="a: 1\n").stdout
    assert SECRETS.decrypt(text) == b"a: 1\n"
    assert run("decrypt", "-", *keys, text=text).stdout == "a: 1\n"
    out = tmp_path / "out.yml"
    run("encrypt", "--output", str(out), "-", *keys, text="b: 2\n")
    assert SECRETS.decrypt(out.read_text()) == b"b: 2\n" and out.stat().st_mode & 0o777 == 0o600


def test_several_ids_want_a_choice(tmp_path: Path) -> None:
    ids = ["--vault-id", f"default@{tmp_path / 'pw'}", "--vault-id", f"dev@{tmp_path / 'dev'}"]
    write(tmp_path / "pw", "pw")
    write(tmp_path / "dev", "dev pw")
    path = write(tmp_path / "a.yml", "a: 1\n")
    with pytest.raises(OpsError) as caught:
        run("encrypt", str(path), *ids)
    assert caught.value.code == "vault-which-id" and path.read_text() == "a: 1\n"
    run("encrypt", str(path), *ids, "--encrypt-vault-id", "dev")
    assert parse(path.read_text()).vault_id == "dev"


def test_rekey(tmp_path: Path, keys: list[str]) -> None:
    path = write(tmp_path / "a.yml", "a: 1\n")
    run("encrypt", str(path), *keys)
    run("rekey", str(path), *keys, "--new-vault-id", f"dev@{tmp_path / 'dev'}")
    assert parse(path.read_text()).vault_id == "dev"
    assert VaultSecrets((Secret("dev", b"dev pw"),)).decrypt(path.read_text()) == b"a: 1\n"
    with pytest.raises(OpsError, match="ids tried: default"):
        run("view", str(path), *keys)


def test_encrypt_string_is_yaml_to_paste(keys: list[str]) -> None:
    text = run("encrypt_string", *keys, "-n", "one", "first", "-n", "two", "second").stdout
    node = parse_yaml(text)
    assert isinstance(node, MapNode) and node.keys() == ["one", "two"]
    value = node.get("two")
    assert isinstance(value, ScalarNode) and isinstance(value.value, VaultText)
    assert SECRETS.decrypt(value.value.ciphertext) == b"second"
    named = run("encrypt_string", *keys, "--stdin-name", "three", text="from stdin").stdout
    assert named.startswith("three: !vault |\n          $ANSIBLE_VAULT;1.1;AES256\n")


EDITOR = """#!/bin/sh
stat -c '%a %n' "$1" "$(dirname "$1")" > {report}
cat "$1" >> {report}
cp "$1" "$1~"
{act}
"""


def editor(tmp_path: Path, act: str) -> Path:
    path = tmp_path / "editor"
    path.write_text(EDITOR.format(report=tmp_path / "report", act=act))
    path.chmod(0o700)
    return path


def test_edit_happens_in_memory_and_leaves_nothing(
    tmp_path: Path, keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "secret.yml", VaultSecrets((Secret("default", b"pw"),)).encrypt(b"a: 1\n"))
    monkeypatch.setenv("EDITOR", str(editor(tmp_path, 'echo "b: 2" >> "$1"')))
    run("edit", str(path), *keys)
    assert SECRETS.decrypt(path.read_text()) == b"a: 1\nb: 2\n"
    file, folder, content = (tmp_path / "report").read_text().splitlines()
    assert file.startswith("600 ") and folder.startswith("700 ") and content == "a: 1"
    assert folder.split()[1].startswith(MEMORY) or not os.path.isdir(MEMORY)
    assert file.endswith("/secret.yml") and not os.path.exists(folder.split()[1]) and left_behind() == []


def test_an_edit_that_changes_nothing_writes_nothing(
    tmp_path: Path, keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "secret.yml", SECRETS.encrypt(b"a: 1\n", "default"))
    before = path.read_text()
    for act in ("true", "echo gone > $1; exit 1"):
        monkeypatch.setenv("EDITOR", str(editor(tmp_path, act)))
        if act == "true":
            run("edit", str(path), *keys)
        else:
            with pytest.raises(OpsError, match="the editor ended with 1"):
                run("edit", str(path), *keys)
        assert path.read_text() == before and left_behind() == []


def test_create(tmp_path: Path, keys: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", str(editor(tmp_path, 'echo "new: 1" > "$1"')))
    path = tmp_path / "new.yml"
    with pytest.raises(OpsError, match="needs a terminal"):
        run("create", str(path), *keys)
    run("create", str(path), "--skip-tty-check", *keys)
    assert SECRETS.decrypt(path.read_text()) == b"new: 1\n" and path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(OpsError, match="exists already"):
        run("create", str(path), "--skip-tty-check", *keys)


def test_a_signal_during_the_edit_leaves_nothing(tmp_path: Path, keys: list[str]) -> None:
    path = write(tmp_path / "secret.yml", SECRETS.encrypt(b"a: 1\n", "default"))
    script = editor(tmp_path, "exec sleep 5")
    program = "import sys; from opsplay.cli.vault import vault; vault(sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "edit", str(path), *keys],
        env={**os.environ, "EDITOR": str(script)},
        stderr=subprocess.DEVNULL,
    )
    report = tmp_path / "report"
    deadline = time.monotonic() + 10
    while not (report.exists() and "a: 1" in report.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    folder = report.read_text().splitlines()[1].split()[1]
    assert os.path.isdir(folder)
    process.send_signal(signal.SIGTERM)
    process.wait(10)
    assert not os.path.exists(folder) and process.returncode != 0
    assert SECRETS.decrypt(path.read_text()) == b"a: 1\n"
