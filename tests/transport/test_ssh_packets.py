"""What goes out is what comes in there: every cipher, keys renewed on the way, a jump host, many channels at once."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path

import pytest

from opsplay.transport.ssh import SshTransport
from opsplay.transport.ssh_packets import BufferedSocket
from tests.transport.hosts import finish
from tests.transport.private_sshd import PrivateSshd

SIZE = 12 * 1024 * 1024
CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes256-ctr")


@pytest.mark.parametrize("cipher", CIPHERS)
def test_every_cipher_carries_it_and_renews_its_keys(tmp_path: Path, cipher: str) -> None:
    server = PrivateSshd(tmp_path / "sshd", f"Ciphers {cipher}").start()
    data = os.urandom(SIZE)

    async def work() -> None:
        transport = SshTransport(server.address())
        wire = await transport.wire()
        assert wire.local_cipher == cipher
        wire.packetizer.REKEY_BYTES = 4 * 1024 * 1024
        keys = {wire.H}
        try:
            for _ in range(2):
                done = await transport.exec("sha1sum", input=data, timeout=60)
                assert done["stdout"].split()[0] == hashlib.sha1(data).hexdigest()
                keys.add(wire.H)
            assert len(keys) == 3
        finally:
            await transport.close()

    try:
        finish(work)
    finally:
        server.stop()


def test_channels_at_once_do_not_mix(sshd: PrivateSshd) -> None:
    inputs = [os.urandom(size) for size in (1, 17, 40_000, 1_000_000, 5_000_000)]

    async def work() -> None:
        transport = SshTransport(sshd.address())
        try:
            done = await asyncio.gather(*(transport.exec("sha1sum", input=data, timeout=60) for data in inputs))
        finally:
            await transport.close()
        assert [one["stdout"].split()[0] for one in done] == [hashlib.sha1(data).hexdigest() for data in inputs]

    finish(work)


def test_a_socket_that_takes_little_at_a_time(sshd: PrivateSshd, monkeypatch: pytest.MonkeyPatch) -> None:
    data = os.urandom(3_000_000)
    taken = [0, 5, 100_000, 70_000, 1, 40_000] * 5
    waiting, at_once = BufferedSocket.send, BufferedSocket.send_some
    monkeypatch.setattr(BufferedSocket, "send", lambda self, part: waiting(self, part[:1777]))
    monkeypatch.setattr(BufferedSocket, "send_some", lambda self, part: at_once(self, part[: taken.pop() if taken else 0]))

    async def work() -> None:
        transport = SshTransport(sshd.address())
        try:
            done = await transport.exec("sha1sum", input=data, timeout=60)
        finally:
            await transport.close()
        assert done["stdout"].split()[0] == hashlib.sha1(data).hexdigest()

    finish(work)
