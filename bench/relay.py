"""A cable: forwards TCP to the bench's sshd, late by half a round trip each way, and counts what passes.

Run as a program: `relay.py TARGET_PORT ROUND_TRIP_MS` prints its port; on SIGTERM it prints the counts as JSON.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from dataclasses import asdict, dataclass


@dataclass
class Counts:
    connections: int = 0
    up: int = 0
    down: int = 0
    sent: int = 0  # reads of the controller's side: about its messages
    turns: int = 0  # times the controller spoke after the host had: round trips that somebody waited for


class Cable:
    def __init__(self, target: int, delay: float) -> None:
        self.target, self.delay, self.counts = target, delay, Counts()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        here = writer.get_extra_info("sockname")[0]
        try:
            far_reader, far_writer = await asyncio.open_connection(here, self.target)
        except OSError:
            writer.close()
            return
        self.counts.connections += 1
        spoke = ["host"]
        await asyncio.gather(
            self.pump(reader, far_writer, "controller", spoke), self.pump(far_reader, writer, "host", spoke)
        )

    async def pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, side: str, spoke: list[str]) -> None:
        """Bytes keep their order and their distance; a link is no slower for being long."""
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(64)
        loop = asyncio.get_running_loop()

        async def deliver() -> None:
            while True:
                due, data = await waiting.get()
                if due > loop.time():
                    await asyncio.sleep(due - loop.time())
                if not data:
                    sink.close()
                    return
                sink.write(data)
                await sink.drain()

        delivery = asyncio.ensure_future(deliver())
        try:
            while True:
                data = await source.read(256 * 1024)
                self.note(side, data, spoke)
                await waiting.put((loop.time() + self.delay, data))
                if not data:
                    break
            await delivery
        except OSError:
            delivery.cancel()
            sink.close()

    def note(self, side: str, data: bytes, spoke: list[str]) -> None:
        if not data:
            return
        if side == "host":
            self.counts.down += len(data)
        else:
            self.counts.up += len(data)
            self.counts.sent += 1
            self.counts.turns += spoke[0] == "host"
        spoke[0] = side


async def main(target: int, round_trip: float) -> None:
    cable = Cable(target, round_trip / 2000)
    server = await asyncio.start_server(cable.serve, "0.0.0.0", 0, backlog=2000)
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    print(json.dumps(asdict(cable.counts)), flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
