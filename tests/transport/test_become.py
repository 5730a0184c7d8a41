"""Become (fault row 19): real sudo and su with real accounts, and stubs for what they may say; right verdict in 3 s."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opsplay.transport.local import LocalTransport
from opsplay.transport.protocol import Address, Become, BecomeFailed
from opsplay.transport.ssh import SshTransport
from opsplay.transport.tuning import Tuning
from tests.transport.accounts import ROOT, Account, account
from tests.transport.hosts import ask, finish, opened
from tests.transport.private_sshd import PrivateSshd

real_sudo = pytest.mark.skipif(not ROOT or not shutil.which("sudo"), reason="needs root, for accounts, and sudo")
VERDICT_WITHIN = 4.5  # 3 s, and what a loaded test machine adds


@pytest.fixture(scope="module")
def nopasswd() -> Iterator[Account]:
    with account("{name} ALL=(ALL) NOPASSWD: ALL") as made:
        yield made


@pytest.fixture(scope="module")
def passwd() -> Iterator[Account]:
    with account("Defaults:{name} lecture=always, timestamp_timeout=0\n{name} ALL=(ALL) ALL") as made:
        yield made


@pytest.fixture(scope="module")
def nobody() -> Iterator[Account]:
    with account() as made:
        yield made


def ssh(sshd: PrivateSshd, who: Account) -> SshTransport:
    who.let_in(sshd.client_key.with_suffix(".pub"))
    return SshTransport(sshd.address(user=who.name, python="/usr/bin/python3"))


def uid_as(transport: Any, become: Become) -> tuple[str, str]:
    """Who the interpreter runs as, and what HOME is there."""

    async def work() -> tuple[str, str]:
        async with _opened_as(transport, become) as session:
            run = await ask(session, "t_spawn", argv=["sh", "-c", "id -un; echo $HOME"])
            return tuple(run["stdout"].split())  # type: ignore[return-value]

    return finish(work)


def _opened_as(transport: Any, become: Become) -> Any:
    class AsUser:
        async def session(self) -> Any:
            return await transport.session(become)

        async def close(self) -> None:
            await transport.close()

    return opened(AsUser())


def refusal(transport: Any, become: Become, within: float = VERDICT_WITHIN) -> BecomeFailed:
    async def work() -> BecomeFailed:
        try:
            begun = time.monotonic()
            with pytest.raises(BecomeFailed) as caught:
                await transport.session(become)
            assert time.monotonic() - begun < within
            return caught.value
        finally:
            await transport.close()

    return finish(work)


@real_sudo
def test_sudo_without_a_password(sshd: PrivateSshd, nopasswd: Account) -> None:
    assert uid_as(ssh(sshd, nopasswd), Become()) == ("root", "/root")
    assert uid_as(ssh(sshd, nopasswd), Become("nobody"))[0] == "nobody"
    assert uid_as(ssh(sshd, nopasswd), Become(password="not needed"))[0] == "root"


@real_sudo
def test_sudo_with_a_password_and_a_lecture(sshd: PrivateSshd, passwd: Account) -> None:
    assert uid_as(ssh(sshd, passwd), Become(password=passwd.password))[0] == "root"


@real_sudo
def test_sudo_with_a_wrong_password(sshd: PrivateSshd, passwd: Account) -> None:
    error = refusal(ssh(sshd, passwd), Become(password="wrong"))
    assert error.code == "become-wrong-password"
    assert "--ask-become-pass" in error.remedy


@real_sudo
def test_sudo_that_needs_a_password(sshd: PrivateSshd, passwd: Account) -> None:
    assert refusal(ssh(sshd, passwd), Become()).code == "become-password-needed"


@real_sudo
def test_sudo_for_who_may_not(sshd: PrivateSshd, nobody: Account) -> None:
    assert refusal(ssh(sshd, nobody), Become(password=nobody.password)).code == "become-not-allowed"


@real_sudo
def test_sudo_to_a_user_that_is_not_there(sshd: PrivateSshd, nopasswd: Account) -> None:
    assert refusal(ssh(sshd, nopasswd), Become("no-such-user")).code == "become-user-unknown"


@real_sudo
def test_sudo_that_is_not_there(sshd: PrivateSshd, nopasswd: Account) -> None:
    assert refusal(ssh(sshd, nopasswd), Become(exe="/no/such/sudo")).code == "become-program-missing"


@real_sudo
@pytest.mark.parametrize("rule", ["NOPASSWD: ALL", "ALL"])
@pytest.mark.parametrize("pty", ["", ", use_pty"])
def test_sudo_that_requires_a_terminal(sshd: PrivateSshd, rule: str, pty: str) -> None:
    with account(f"Defaults:{{name}} requiretty, lecture=always{pty}\n{{name}} ALL=(ALL) {rule}") as who:
        become = Become(password=who.password if rule == "ALL" else None)
        assert uid_as(ssh(sshd, who), become)[0] == "root"

        async def big() -> None:
            async with _opened_as(ssh(sshd, who), become) as session:
                assert (await ask(session, "t_say"))["read"] == ""
                body = bytes(range(256)) * 2000
                assert (await session.submit([_echo(body)]).replies[0]).body == body

        finish(big)


def _echo(body: bytes) -> Any:
    from opsplay.transport.protocol import Step

    return Step("t_echo", {}, body=body)


@real_sudo
def test_su(sshd: PrivateSshd, nobody: Account, passwd: Account) -> None:
    become = Become(passwd.name, "su", passwd.password)
    assert uid_as(ssh(sshd, nobody), become)[0] == passwd.name
    wrong = refusal(ssh(sshd, nobody), Become(passwd.name, "su", "wrong"), within=7)  # su itself waits 3 s (FAIL_DELAY)
    assert wrong.code == "become-wrong-password"
    assert refusal(ssh(sshd, nobody), Become(passwd.name, "su")).code == "become-password-needed"


def test_su_as_root_asks_nothing() -> None:
    if not ROOT:
        pytest.skip("needs root")
    assert (
        uid_as(
            LocalTransport(Address("h1", "local", python="/usr/bin/python3")),
            Become("nobody", "su", flags="-s /bin/sh"),
        )[0]
        == "nobody"
    )


@pytest.mark.skipif(not ROOT or not shutil.which("doas"), reason="needs root, for accounts, and doas")
def test_doas(sshd: PrivateSshd) -> None:
    """It asks on a terminal only, and takes its rules from one file: the one that is there is put back."""
    rules = Path("/etc/doas.conf")
    old = rules.read_bytes() if rules.exists() else None
    with account() as asked, account() as trusted, account() as stranger:
        try:
            rules.write_text(f"permit {asked.name}\npermit nopass {trusted.name}\n")
            rules.chmod(0o400)
            assert uid_as(ssh(sshd, trusted), Become(method="doas"))[0] == "root"
            assert uid_as(ssh(sshd, asked), Become(method="doas", password=asked.password))[0] == "root"
            assert refusal(ssh(sshd, asked), Become(method="doas", password="wrong")).code == "become-wrong-password"
            assert refusal(ssh(sshd, asked), Become(method="doas")).code == "become-password-needed"
            assert refusal(ssh(sshd, stranger), Become(method="doas", password="x")).code == "become-not-allowed"
        finally:
            rules.unlink() if old is None else rules.write_bytes(old)


@real_sudo
def test_an_expired_account(sshd: PrivateSshd) -> None:
    import subprocess

    with account("{name} ALL=(ALL) ALL") as who:
        subprocess.run(["chage", "-d", "0", who.name], check=True)
        error = refusal(ssh(sshd, who), Become(password=who.password))
        assert error.code == "become-expired", error
        assert "administrator" in error.remedy


@real_sudo
def test_raw_commands_as_somebody_else(sshd: PrivateSshd, passwd: Account) -> None:
    async def work() -> None:
        transport = ssh(sshd, passwd)
        result = await transport.exec("cat; id -un", Become(password=passwd.password), b"input\n")
        assert result == {"rc": 0, "stdout": "input\nroot\n", "stderr": ""}
        await transport.close()

    finish(work)


@real_sudo
def test_the_password_is_nowhere(sshd: PrivateSshd, passwd: Account) -> None:
    become = Become(password=passwd.password)
    assert passwd.password not in repr(become)

    async def work() -> None:
        async with _opened_as(ssh(sshd, passwd), become) as session:
            argv = ["sh", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'"]
            seen = (await ask(session, "t_spawn", argv=argv))["stdout"]
            assert len(seen) > 1000
            assert passwd.password not in seen

    finish(work)


# -- stubs: the prompt styles that sudo is seen with

READ = 'read -r given; echo "$given" >> "$LOG"; '
GRANT = 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"'
PROMPT = 'while [ "$1" != -p ]; do shift; done; prompt=$2; '
STYLES = {
    "plain": (PROMPT + 'printf "%s" "$prompt" >&2; ' + READ + GRANT, ""),
    "lecture": (PROMPT + 'printf "We trust you have received the usual lecture.\\nPassword:\\n\\n%s" "$prompt" >&2; ' + READ + GRANT, ""),
    "slow, byte by byte": (
        PROMPT + 'printf "%s" "$prompt" | while IFS= read -r -n1 c 2>/dev/null || [ -n "$c" ]; do printf "%s" "$c" >&2; done; '
        'printf "" >&2; ' + READ + GRANT, ""),
    "noise behind the password": (PROMPT + 'printf "%s" "$prompt" >&2; ' + READ + 'echo "Letzte Anmeldung: heute" >&2; ' + GRANT, ""),
    "localised refusal": (
        PROMPT + 'printf "%s" "$prompt" >&2; ' + READ + 'printf "Das hat nicht funktioniert, bitte nochmal probieren.\\n%s" "$prompt" >&2; sleep 9',
        "become-wrong-password"),
    "own localised prompt": ('printf "[sudo] Passwort für anna: " >&2; sleep 9', "become-prompt-unknown"),
    "second factor": ('printf "Verification code: " >&2; sleep 9', "become-prompt-unknown"),
    "japanese prompt": ('printf "[sudo] anna のパスワード: " >&2; sleep 9', "become-prompt-unknown"),
    "refused behind the password": (
        PROMPT + 'printf "%s" "$prompt" >&2; ' + READ + 'echo "Sorry, user anna is not allowed to execute that." >&2; exit 1',
        "become-not-allowed"),
    "expired": ('echo "sudo: Account or password is expired, reset your password and try again" >&2; printf "Current password: " >&2; sleep 9',
        "become-expired"),
    "silent": ("sleep 9", "become-timeout"),
    "other key": ('printf "[opsplay sudo 00000000000000000000000000000000] password:" >&2; sleep 9', "become-prompt-unknown"),
}  # fmt: skip


@pytest.mark.parametrize("style", list(STYLES))
def test_prompt_styles(style: str, tmp_path: Path) -> None:
    script, code = STYLES[style]
    program, log = tmp_path / "sudo", tmp_path / "log"
    shell = shutil.which("bash") or "/bin/sh"
    program.write_text(f"#!{shell}\nLOG={log}\n{script}\n")
    program.chmod(0o755)
    transport = LocalTransport(Address("h1", "local"), Tuning(become_timeout=2.5))
    become = Become(exe=str(program), password="pass word'$x")
    if code:
        assert refusal(transport, become).code == code
    else:

        async def work() -> None:
            async with _opened_as(transport, become) as session:
                said = await ask(
                    session,
                    "t_spawn",
                    argv=["sh", "-c", "printf '[sudo] password for x: '; printf '[opsplay sudo] password:' >&2"],
                )
                assert said["rc"] == 0

        finish(work)
    expected = "pass word'$x\n" if "prompt" in script and "$given" in script else ""
    assert (log.read_text() if log.exists() else "") == expected, "the password went out exactly once, to its prompt"


@pytest.mark.parametrize(("prompts", "asked", "code"), [
    ((), "Password: ", ""), (("Heslo",), "Heslo: ", ""), (("Heslo", "密码"), "密码：", ""),
    (("Heslo",), "Password: ", "become-prompt-unknown"),
])  # fmt: skip
def test_su_may_ask_in_other_words(prompts: tuple[str, ...], asked: str, code: str, tmp_path: Path) -> None:
    program, log = tmp_path / "su", tmp_path / "log"
    program.write_text(f"#!/bin/bash\nLOG={log}\nprintf '{asked}' >&2; {READ}exec sh -c \"$3\"\n")
    program.chmod(0o755)
    transport = LocalTransport(Address("h1", "local"), Tuning(become_timeout=2.5))
    become = Become(exe=str(program), method="su", password="secret", prompts=prompts)
    if code:
        refused = refusal(transport, become)
        assert refused.code == code
        assert "Timed out waiting for become success or become password prompt" in refused.message
        return

    async def work() -> None:
        async with _opened_as(transport, become) as session:
            assert (await ask(session, "t_spawn", argv=["true"]))["rc"] == 0

    finish(work)
    assert log.read_text() == "secret\n"


def test_become_needs_a_known_method() -> None:
    assert refusal(LocalTransport(Address("h1", "local")), Become(method="runas")).code == "become-method-unknown"


def test_users_and_flags_are_words_not_shell(tmp_path: Path) -> None:
    """Fault row 11: nothing of a become user reaches a shell as text."""
    canary = tmp_path / "canary"
    for user in (
        f"x; touch {canary}",
        f"$(touch {canary})",
        f"`touch {canary}`",
        f"a\ntouch {canary}",
        f"'; touch {canary}; '",
    ):
        for method in ("sudo", "su", "doas"):
            error = refusal(LocalTransport(Address("h1", "local")), Become(user, method))
            assert error.code.startswith("become-")
    assert not canary.exists()
