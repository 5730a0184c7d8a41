"""Owns the stand-in for sshd, an asyncssh server for exec, sftp and scp: `-m opsplay.lab.asyncssh_server CONFIG`."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import asyncssh


class Sftp(asyncssh.SFTPServer):
    def exit(self) -> None:
        """Say that it went well: asyncssh closes the channel without a status, which scp takes for a failure."""
        self.channel.exit(0)


def settings(config: Path) -> dict[str, str]:
    lines = (line.split(None, 1) for line in config.read_text().splitlines() if line.strip())
    return {words[0].lower(): words[1].strip() for words in lines if len(words) == 2}


async def serve(process: asyncssh.SSHServerProcess[bytes], given: dict[str, str]) -> None:
    """Run what was asked for in the user's shell. The streams are pumped by hand: redirect() loses the last output."""
    shell = os.environ.get("SHELL") or "/bin/sh"
    command = [shell, "-c", process.command] if process.command else [shell]
    child = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=Path.home(),
        env={**os.environ, **dict(word.split("=", 1) for word in shlex.split(given.get("setenv", "")))},
    )
    feeding = asyncio.create_task(feed(process, child))
    await asyncio.gather(pump(child.stdout, process.stdout), pump(child.stderr, process.stderr))
    status = await child.wait()
    feeding.cancel()
    if status < 0:
        process.exit_with_signal("KILL" if status == -9 else "TERM")
    else:
        process.exit(status)


async def feed(process: asyncssh.SSHServerProcess[bytes], child: asyncio.subprocess.Process) -> None:
    """To the child's stdin until the client closes; a client that goes away takes the child with it."""
    assert child.stdin is not None
    try:
        while data := await process.stdin.read(65536):
            child.stdin.write(data)
            await child.stdin.drain()
        child.stdin.close()
        await process.channel.wait_closed()
    except (asyncssh.Error, ConnectionError):
        pass
    if child.returncode is None:
        child.terminate()


async def pump(source: asyncio.StreamReader | None, sink: Any) -> None:
    assert source is not None
    try:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    except (asyncssh.Error, ConnectionError):
        return


async def main(config: Path) -> None:
    given = settings(config)
    await asyncssh.listen(
        given["listenaddress"],
        int(given["port"]),
        server_host_keys=[given["hostkey"]],
        authorized_client_keys=given["authorizedkeysfile"],
        process_factory=lambda process: serve(process, given),
        sftp_factory=Sftp,
        allow_scp=True,
        encoding=None,
        reuse_address=True,
    )
    await asyncio.Event().wait()


if __name__ == "__main__":
    os.chdir(Path.home())
    asyncio.run(main(Path(sys.argv[1])))
