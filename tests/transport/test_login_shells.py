"""Any login shell, noisy or strange, and hosts without a usable Python (fault rows 18 and 48)."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from opsplay.transport.bootstrap import candidates, login_command
from opsplay.transport.local import LocalTransport
from opsplay.transport.protocol import Address, Become, Unreachable
from opsplay.transport.ssh import SshTransport
from tests.transport.accounts import ROOT, Account, account
from tests.transport.hosts import ask, finish, opened
from tests.transport.private_sshd import PrivateSshd

SHELLS = {
    name: path for name in ("sh", "bash", "dash", "fish", "tcsh", "csh", "zsh", "ksh") if (path := shutil.which(name))
}
needs_accounts = pytest.mark.skipif(not ROOT, reason="needs root, for accounts")
NOISE = {
    "bash": (
        ".bashrc",
        "echo welcome to the host; echo '{\"kind\": \"hello\"}'; echo trouble >&2; printf 'no newline'\n",
    ),
    "fish": (".config/fish/config.fish", "echo welcome to the host; echo trouble >&2\n"),
    "tcsh": (".tcshrc", "echo welcome to the host\nset histsubstchar\n"),
    "zsh": (".zshenv", "echo welcome to the host\n"),
    "sh": (".profile", "echo never read\n"),
}


@pytest.fixture
def make_transport(sshd: PrivateSshd) -> Iterator[Callable[[Account], SshTransport]]:
    def make(who: Account) -> SshTransport:
        who.let_in(sshd.client_key.with_suffix(".pub"))
        return SshTransport(sshd.address(user=who.name, python="auto"))

    yield make


@needs_accounts
@pytest.mark.parametrize("shell", sorted(SHELLS))
def test_every_login_shell(shell: str, make_transport: Any) -> None:
    with account("{name} ALL=(ALL) NOPASSWD: ALL", shell=SHELLS[shell]) as who:
        if shell in NOISE:
            path, text = NOISE[shell]
            (who.home / path).parent.mkdir(parents=True, exist_ok=True)
            (who.home / path).write_text(text)

        async def work() -> None:
            transport = make_transport(who)
            async with opened(transport) as session:
                assert (await ask(session, "ping", data='it\'s \\ "!" `$x` %s'))["ping"] == 'it\'s \\ "!" `$x` %s'
                for _ in range(5):
                    assert (await ask(session, "t_spawn", argv=["id", "-un"]))["stdout"] == who.name + "\n"
                root = await transport.session(Become())
                root.teach("t_spawn", __import__("tests.transport.hosts", fromlist=["TAUGHT"]).TAUGHT["t_spawn"])
                assert (await ask(root, "t_spawn", argv=["id", "-un"]))["stdout"] == "root\n"

        finish(work)


@pytest.mark.parametrize("shell", sorted(SHELLS))
def test_a_script_reaches_sh_unchanged_through_every_shell(shell: str) -> None:
    import subprocess

    text = "a'b\"c\\d\\\\e\\ne!f $HOME `x` %s %% \t ü \\047 ~ * [a-z] {1,2} # end"
    script = "printf '%s' " + "'" + text.replace("'", "'\"'\"'") + "'" + "\nprintf '\\n%s' second"
    done = subprocess.run(
        [SHELLS[shell], "-c", login_command(script)], capture_output=True, text=True, timeout=20, check=False
    )
    assert done.stdout == text + "\nsecond", done.stderr


@needs_accounts
def test_a_slow_rc_file_and_no_home(make_transport: Any) -> None:
    with account(shell=SHELLS.get("bash", "/bin/bash")) as who:
        (who.home / ".bashrc").write_text("sleep 0.1; unset HOME PATH LANG USER LOGNAME; cd /\n")

        async def work() -> None:
            async with opened(make_transport(who)) as session:
                assert (await ask(session, "ping", data="x"))["ping"] == "x"

        finish(work)


@needs_accounts
def test_a_shell_that_lets_nobody_in(make_transport: Any) -> None:
    with account(shell="/usr/sbin/nologin") as who:

        async def work() -> None:
            transport = make_transport(who)
            with pytest.raises(Unreachable) as caught:
                await transport.session()
            assert caught.value.code == "start-failed"
            assert "not available" in caught.value.message
            await transport.close()

        finish(work)


# -- Python


def failing(address: Address) -> tuple[Unreachable, float]:
    async def work() -> tuple[Unreachable, float]:
        transport = LocalTransport(address)
        transport.pythons = candidates  # type: ignore[method-assign]
        begun = time.monotonic()
        with pytest.raises(Unreachable) as caught:
            await transport.session()
        return caught.value, time.monotonic() - begun

    return finish(work)


def test_no_python_is_said_within_two_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    error, seconds = failing(Address("h1", "local", python="/no/such/python"))
    assert (error.code, seconds < 2) == ("no-python", True)
    assert "/no/such/python" in error.message
    assert "ansible_python_interpreter" in error.remedy
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("opsplay.transport.bootstrap.CANDIDATES", ("python3", str(tmp_path / "python3")))
    error, seconds = failing(Address("h1", "local"))
    assert (error.code, seconds < 2) == ("no-python", True)
    assert "Python 3.6 or newer" in error.message


def test_pythons_too_old_or_broken_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, broken, good = tmp_path / "python3", tmp_path / "python3.13", tmp_path / "python3.8"
    old.write_text("#!/bin/sh\nexit 1\n")
    broken.write_text("#!/no/such/interpreter\n")
    good.symlink_to(os.path.realpath(shutil.which("python3") or ""))
    for path in (old, broken):
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    monkeypatch.setattr("opsplay.transport.bootstrap.CANDIDATES", ("python3", "python3.13", "python3.8"))

    async def work() -> None:
        transport = LocalTransport(Address("h1", "local"))
        transport.pythons = candidates  # type: ignore[method-assign]
        async with opened(transport) as session:
            assert (await session.ready())["python"][0] == 3

    import sys

    if os.path.realpath(sys.executable) != os.path.realpath(good):
        good.unlink()
        good.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        good.chmod(0o755)
    finish(work)
    python2 = os.path.expanduser("~/.pyenv/versions/2.7.18/bin/python")
    if os.path.exists(python2):
        error, seconds = failing(Address("h1", "local", python=python2))
        assert (error.code, seconds < 2) == ("no-python", True)


@pytest.mark.skipif(not ROOT or not shutil.which("unshare"), reason="needs root, to mount everything read-only")
def test_nothing_writable_anywhere(tmp_path: Path) -> None:
    """Fault row 48: a host whose whole file system is read-only; nothing is written there."""
    script = tmp_path / "readonly"
    script.write_text(
        "#!/bin/sh\nexec unshare -m /bin/sh -c 'mount --make-rprivate /; "
        'awk "{print \\$2}" /proc/mounts | sort -r | while read m; do mount -o remount,ro,bind "$m" 2>/dev/null; done; '
        'mount -o remount,ro,bind / 2>/dev/null; while [ "$1" != -- ]; do shift; done; shift; exec "$@"\' x "$@"\n'
    )
    script.chmod(0o755)

    async def work() -> None:
        transport = LocalTransport(Address("h1", "local"))
        session = await transport.session(Become(exe=str(script)))
        session.teach("t_spawn", __import__("tests.transport.hosts", fromlist=["TAUGHT"]).TAUGHT["t_spawn"])
        run = await ask(session, "t_spawn", argv=["sh", "-c", "touch /tmp/x /var/tmp/x ~/x /dev/shm/x; echo ran"])
        assert run["stdout"] == "ran\n"
        assert run["stderr"].count("Read-only file system") >= 3, run["stderr"]
        assert (await ask(session, "ping", data="x"))["ping"] == "x"
        assert (await ask(session, "async_status", jid="j1", mode="status"))["failed"] is True
        await transport.close()

    finish(work)
