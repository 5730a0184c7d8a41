"""Logging in: host keys (fault row 9), names that are options or shell (row 11), keys, passwords, agents, jumps."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from opsplay.transport.known_hosts import HostKeyRefused
from opsplay.transport.protocol import Address, Unreachable
from opsplay.transport.ssh import SshTransport
from tests.transport.accounts import ROOT, Account, account
from tests.transport.hosts import finish
from tests.transport.private_sshd import PrivateSshd, make_key

NO_AGENT = "-F none -o IdentityAgent=none -o GlobalKnownHostsFile=/dev/null"


def log_in(address: Address) -> list[str]:
    """Logs in, runs something, and gives the notices."""

    async def work() -> list[str]:
        transport = SshTransport(address)
        try:
            assert (await transport.exec("echo in"))["stdout"] == "in\n"
            return transport.notices
        finally:
            await transport.close()

    return finish(work)


def refusal(address: Address) -> Unreachable:
    async def work() -> Unreachable:
        transport = SshTransport(address)
        with pytest.raises(Unreachable) as caught:
            await transport.connect()
        await transport.close()
        return caught.value

    return finish(work)


def logins(sshd: PrivateSshd) -> int:
    """Authentications that the server has seen so far, failed ones too."""
    return sum(
        word in line for line in (sshd.folder / "log").read_text().splitlines() for word in ("Accepted", "Failed")
    )


# -- host keys


def test_an_unknown_key_is_refused_before_anything_is_said(sshd: PrivateSshd, tmp_path: Path) -> None:
    before = logins(sshd)
    error = refusal(sshd.address(known_hosts_file=str(tmp_path / "known_hosts")))
    assert isinstance(error, HostKeyRefused)
    assert error.code == "host-key-unknown"
    fingerprint = subprocess.run(
        ["ssh-keygen", "-lf", str(sshd.host_key)], capture_output=True, text=True, check=True
    ).stdout.split()[1]
    assert fingerprint in error.message
    assert f"ssh-keyscan -p {sshd.port} 127.0.0.1 >> {tmp_path}/known_hosts" in error.remedy
    assert logins(sshd) == before
    assert not (tmp_path / "known_hosts").exists()


def test_the_remedy_works(sshd: PrivateSshd, tmp_path: Path) -> None:
    address = sshd.address(known_hosts_file=str(tmp_path / "known_hosts"))
    line = next(line for line in refusal(address).remedy.splitlines() if "ssh-keyscan" in line)
    subprocess.run(line, shell=True, check=True, capture_output=True, timeout=20)
    log_in(address)


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_a_changed_key_is_refused(sshd: PrivateSshd, tmp_path: Path, kind: str) -> None:
    other = make_key(tmp_path / "other", kind)
    known = tmp_path / "known_hosts"
    known.write_text(
        "# a comment\n" + f"[127.0.0.1]:{sshd.port} " + " ".join(Path(f"{other}.pub").read_text().split()[:2]) + "\n"
    )
    before = logins(sshd)
    error = refusal(sshd.address(known_hosts_file=str(known)))
    assert error.code == "host-key-changed"
    assert f"{known}:2 knows {kind}" in error.message
    assert f"ssh-keygen -f {known} -R '[127.0.0.1]:{sshd.port}'" in error.remedy
    assert logins(sshd) == before


def test_a_key_that_changes_between_two_connections(tmp_path: Path) -> None:
    server = PrivateSshd(tmp_path / "sshd").start()
    try:
        address = server.address()

        async def work() -> None:
            transport = SshTransport(address)
            await transport.connect()
            await transport.close()
            server.stop()
            for path in (server.host_key, Path(f"{server.host_key}.pub")):
                path.unlink()
            make_key(server.host_key)
            server.start()
            with pytest.raises(HostKeyRefused):
                await transport.exec("true")

        finish(work)
    finally:
        server.stop()


def test_hashed_names_patterns_and_revocations(sshd: PrivateSshd, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    key = " ".join(Path(f"{sshd.host_key}.pub").read_text().split()[:2])
    name = f"[127.0.0.1]:{sshd.port}"
    address = sshd.address(known_hosts_file=str(known))
    known.write_text(f"{name} {key}\n")
    subprocess.run(["ssh-keygen", "-H", "-f", str(known)], check=True, capture_output=True)
    assert known.read_text().startswith("|1|")
    log_in(address)
    known.write_text(f"[127.0.*]:* {key}\n")
    log_in(address)
    known.write_text(f"[127.0.*]:*,!{name} {key}\n")
    assert refusal(address).code == "host-key-unknown"
    known.write_text(f"{name} {key}\n@revoked * {key}\n")
    assert refusal(address).code == "host-key-revoked"
    known.write_text(f"@cert-authority * {key}\n")
    error = refusal(address)
    assert error.code == "host-key-unknown"
    assert "certificate authorities" in error.message
    known.write_text(f"other {key}\nalias {key}\n")
    log_in(replace(address, ssh_args=NO_AGENT + " -o HostKeyAlias=alias"))


def test_a_host_with_several_keys_shows_the_known_one(tmp_path: Path) -> None:
    server = PrivateSshd(tmp_path / "sshd")
    rsa = make_key(tmp_path / "rsa", "rsa")
    server.options = [f"HostKey {rsa}", f"HostKey {server.host_key}"]
    server.start()
    try:
        log_in(server.address())
        server.know(rsa)
        log_in(server.address())
    finally:
        server.stop()


def test_checking_weakens_only_when_told_and_says_so(sshd: PrivateSshd, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    address = sshd.address(known_hosts_file=str(known))
    assert any("not checked" in notice for notice in log_in(replace(address, host_key_checking=False)))
    assert not known.exists()
    notices = log_in(replace(address, ssh_args=NO_AGENT + " -o StrictHostKeyChecking=no"))
    assert any("StrictHostKeyChecking=no" in notice for notice in notices)
    assert any("noted in" in notice for notice in notices)
    assert log_in(address) == [], "accept-new noted the key"
    other = make_key(tmp_path / "other")
    sshd_line = f"[127.0.0.1]:{sshd.port} "
    known.write_text(sshd_line + " ".join(Path(f"{other}.pub").read_text().split()[:2]) + "\n")
    assert refusal(replace(address, ssh_args=NO_AGENT + " -o StrictHostKeyChecking=no")).code == "host-key-changed"


@pytest.mark.parametrize(
    "weak",
    [
        ("Ciphers aes128-ctr", "MACs hmac-sha1"),
        ("Ciphers aes128-cbc",),
        ("KexAlgorithms diffie-hellman-group14-sha1",),
        ("KexAlgorithms diffie-hellman-group1-sha1",),
    ],
)
def test_weak_algorithms_are_refused(tmp_path: Path, weak: tuple[str, ...]) -> None:
    """Fault row 10."""
    server = PrivateSshd(tmp_path / "sshd", *weak).start()
    try:
        error = refusal(server.address())
        assert error.code == "ssh-negotiation-failed"
        assert logins(server) == 0
    finally:
        server.stop()


# -- names


@pytest.mark.parametrize(
    "name", ["-oProxyCommand=touch CANARY", "a;touch CANARY", "$(touch CANARY)", "`touch CANARY`", "a\ntouch CANARY", "a b", "", "-v", "a'b", "a|b", "ü\0"]
)  # fmt: skip
def test_names_that_are_options_or_shell(name: str, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    name = name.replace("CANARY", str(canary))
    for changes in (
        {"hostname": name or " "},
        {"host": name, "hostname": "", "ssh_args": "-F none"} if name else {"hostname": " "},
        {"user": name or " "},
        {"ssh_args": "-F none -o 'ProxyCommand=touch %r %h'", "user": name or " "},
        {"ssh_args": f"-F none -o 'ProxyJump={name}'"} if name and "'" not in name else {"user": " "},
    ):
        address = Address(
            **{"host": "h1", "hostname": "127.0.0.1", "port": 9, "timeout": 1, "ssh_args": "-F none", **changes}
        )  # type: ignore[arg-type]
        assert refusal(address).code in ("bad-host-name", "bad-user-name")
    assert not canary.exists()


def test_a_proxy_command_of_the_user_works(sshd: PrivateSshd, tmp_path: Path) -> None:
    relay = tmp_path / "relay.py"
    relay.write_text(
        "import socket,sys,threading,os\ns=socket.create_connection((sys.argv[1],int(sys.argv[2])))\n"
        "def up():\n while (d:=os.read(0,65536)): s.sendall(d)\n os._exit(0)\nthreading.Thread(target=up,daemon=True).start()\n"
        "while (d:=s.recv(65536)): os.write(1,d)\n"
    )
    import sys

    args = f"{NO_AGENT} -o 'ProxyCommand={sys.executable} {relay} %h %p'"
    log_in(sshd.address(ssh_args=args))


# -- who logs in


def test_a_key_with_a_passphrase(sshd: PrivateSshd, tmp_path: Path) -> None:
    key = make_key(tmp_path / "locked", passphrase="open sesame")
    with sshd.authorized.open("a") as handle:
        handle.write(Path(f"{key}.pub").read_text())
    log_in(sshd.address(private_key_file=str(key), private_key_passphrase="open sesame"))
    error = refusal(sshd.address(private_key_file=str(key), ssh_args=NO_AGENT + " -o IdentityFile=/no/such/key"))
    assert error.code == "auth-failed"
    assert f"{key} (needs a passphrase)" in error.message
    assert "cannot be read" in refusal(sshd.address(private_key_file=str(key), private_key_passphrase="wrong")).message


def test_a_key_that_the_host_does_not_know(sshd: PrivateSshd, tmp_path: Path) -> None:
    error = refusal(sshd.address(private_key_file=str(make_key(tmp_path / "stranger"))))
    assert error.code == "auth-failed"
    assert f"the key {tmp_path}/stranger" in error.message
    assert f"ssh -p {sshd.port}" in error.remedy


@pytest.fixture
def agent(tmp_path: Path, sshd: PrivateSshd) -> Iterator[str]:
    path = str(tmp_path / "agent")
    process = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            if os.path.exists(path):
                break
            time.sleep(0.02)
        subprocess.run(
            ["ssh-add", "-q", str(sshd.client_key)], env={**os.environ, "SSH_AUTH_SOCK": path}, check=True, timeout=10
        )
        yield path
    finally:
        process.terminate()
        process.wait(10)


def test_a_key_of_the_agent(sshd: PrivateSshd, agent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = "-F none -o GlobalKnownHostsFile=/dev/null -o IdentityFile=/no/such/key"
    log_in(sshd.address(private_key_file=None, ssh_args=f"{bare} -o IdentityAgent={agent}"))
    monkeypatch.setenv("SSH_AUTH_SOCK", agent)
    log_in(sshd.address(private_key_file=None, ssh_args=bare))
    error = refusal(sshd.address(private_key_file=None, ssh_args=f"{bare} -o IdentitiesOnly=yes"))
    assert error.code == "auth-failed", "IdentitiesOnly keeps the agent's other keys back"


def test_the_agent_is_forwarded_when_asked(sshd: PrivateSshd, agent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", agent)

    async def keys(args: str) -> str:
        transport = SshTransport(sshd.address(ssh_args=NO_AGENT + args))
        try:
            return str((await transport.exec("ssh-add -l"))["stdout"])
        finally:
            await transport.close()

    assert "ED25519" in finish(lambda: keys(" -A"))
    assert "ED25519" in finish(lambda: keys(" -o ForwardAgent=yes"))
    assert "ED25519" not in finish(lambda: keys(""))


def test_fabric_over_a_checked_connection(sshd: PrivateSshd, tmp_path: Path) -> None:
    from opsplay.transport.fabric_bridge import fabric_connection

    async def work() -> None:
        transport = SshTransport(sshd.address())
        connection = await fabric_connection(transport)
        result = await asyncio.to_thread(connection.run, "echo by fabric", hide=True, in_stream=False)
        assert result.stdout == "by fabric\n"
        (tmp_path / "a").write_text("carried")
        await asyncio.to_thread(connection.put, str(tmp_path / "a"), str(tmp_path / "b"))
        assert (tmp_path / "b").read_text() == "carried"
        assert (await transport.exec("echo beside"))["stdout"] == "beside\n"
        await transport.close()
        unknown = SshTransport(sshd.address(known_hosts_file=str(tmp_path / "known_hosts")))
        with pytest.raises(HostKeyRefused):
            await fabric_connection(unknown)

    finish(work)


@pytest.fixture(scope="module")
def someone() -> Iterator[Account]:
    if not ROOT:
        pytest.skip("needs root, for accounts")
    with account() as made:
        yield made


@pytest.mark.parametrize(
    "how",
    [("PasswordAuthentication yes",), ("KbdInteractiveAuthentication yes", "PasswordAuthentication no", "UsePAM yes")],
)
def test_a_password(tmp_path: Path, someone: Account, how: tuple[str, ...]) -> None:
    server = PrivateSshd(tmp_path / "sshd", *how).start()
    try:
        address = server.address(
            user=someone.name, password=someone.password, private_key_file=None, ssh_args=NO_AGENT + " -i none"
        )
        log_in(address)
        assert someone.password not in repr(address)
        error = refusal(replace(address, password="wrong"))
        assert error.code == "auth-failed"
        assert "the password" in error.message
    finally:
        server.stop()


def test_a_key_and_a_password(tmp_path: Path, someone: Account) -> None:
    server = PrivateSshd(
        tmp_path / "sshd", "PasswordAuthentication yes", "AuthenticationMethods publickey,password"
    ).start()
    someone.let_in(server.client_key.with_suffix(".pub"))
    try:
        log_in(server.address(user=someone.name, password=someone.password))
        assert "password" in refusal(server.address(user=someone.name)).message
    finally:
        server.stop()


# -- the way


def test_ssh_config_is_honoured(sshd: PrivateSshd, tmp_path: Path) -> None:
    config, included = tmp_path / "config", tmp_path / "included"
    included.write_text(f"Host inner\n  HostName 127.0.0.1\n  Port {sshd.port}\n")
    config.write_text(
        f"Include {included}\nHost in*\n  User root\n  IdentityFile {sshd.client_key}\n"
        f"Match host 127.0.0.1\n  UserKnownHostsFile {sshd.known_hosts}\nHost *\n  IdentityAgent none\n  GlobalKnownHostsFile /dev/null\n"
    )
    if os.geteuid():
        config.write_text(config.read_text().replace("  User root\n", ""))
    log_in(Address("inner", ssh_args=f"-F {config}"))


def test_jump_hosts_are_checked_like_all(sshd: PrivateSshd, tmp_path: Path) -> None:
    first, second = (PrivateSshd(tmp_path / name).start() for name in ("first", "second"))
    try:
        for server in (first, second):
            server.authorized.write_text(sshd.client_key.with_suffix(".pub").read_text())
        known = tmp_path / "known_hosts"
        known.write_text("".join(server.known_hosts.read_text() for server in (first, second, sshd)))
        config = tmp_path / "config"
        config.write_text("Host *\n  IdentityAgent none\n  GlobalKnownHostsFile /dev/null\n")
        hops = f"127.0.0.1:{first.port},127.0.0.1:{second.port}"
        args = f"-F {config} -J {hops}"
        log_in(sshd.address(ssh_args=args, known_hosts_file=str(known)))
        config.write_text(
            f"Host j1\n  HostName 127.0.0.1\n  Port {first.port}\nHost j2\n  HostName 127.0.0.1\n  Port {second.port}\n  ProxyJump j1\n{config.read_text()}"
        )
        log_in(sshd.address(ssh_args=f"-F {config} -o ProxyJump=j2", known_hosts_file=str(known)))
        known.write_text("".join(server.known_hosts.read_text() for server in (first, sshd)))
        before = logins(second)
        error = refusal(sshd.address(ssh_args=args, known_hosts_file=str(known)))
        assert error.code == "host-key-unknown"
        assert str(second.port) in error.message
        assert logins(second) == before
        config.write_text("Host loop\n  ProxyJump loop\n")
        assert refusal(Address("loop", ssh_args=f"-F {config}")).code == "bad-ssh-config"
    finally:
        first.stop()
        second.stop()


def test_a_session_through_a_jump_host(sshd: PrivateSshd, tmp_path: Path) -> None:
    from tests.transport.hosts import ask, opened

    jump = PrivateSshd(tmp_path / "jump").start()
    jump.authorized.write_text(sshd.client_key.with_suffix(".pub").read_text())
    known = tmp_path / "known_hosts"
    known.write_text(jump.known_hosts.read_text() + sshd.known_hosts.read_text())
    try:

        async def work() -> None:
            args = f"{NO_AGENT} -J 127.0.0.1:{jump.port}"
            async with opened(SshTransport(sshd.address(ssh_args=args, known_hosts_file=str(known)))) as session:
                for _ in range(20):
                    assert (await ask(session, "ping", data="x"))["ping"] == "x"
                body = os.urandom(2_000_000)
                from opsplay.transport.protocol import Step

                assert (await session.submit([Step("t_echo", {}, body=body)]).replies[0]).body == body

        finish(work)
    finally:
        jump.stop()


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"hostname": "no-such-host.invalid"}, "host-not-found"), ({"port": 1}, "connect-refused"), ({"port": 99999}, "bad-port"), ({"ssh_args": "-o 'x"}, "bad-ssh-arguments")],
)  # fmt: skip
def test_what_cannot_be_reached(sshd: PrivateSshd, changes: dict[str, Any], code: str) -> None:
    error = refusal(sshd.address(**changes))
    assert error.code == code
    assert error.remedy


def test_ssh_arguments_that_are_not_understood_are_told(sshd: PrivateSshd) -> None:
    args = NO_AGENT + " -o ControlMaster=auto -o ControlPersist=60s -o ServerAliveInterval=7 -C -o FooBar=1 -L 1:a:2"
    assert log_in(sshd.address(ssh_args=args)) == ["the ssh option foobar is ignored", "the ssh argument -L is ignored"]


def test_forty_hosts_at_once_do_not_take_forty_times_as_long(sshd: PrivateSshd) -> None:
    async def work() -> None:
        transports = [SshTransport(sshd.address()) for _ in range(40)]
        await asyncio.gather(*(transport.connect() for transport in transports))
        await asyncio.gather(*(transport.close() for transport in transports))

    begun = time.monotonic()
    finish(work)
    assert time.monotonic() - begun < 10
