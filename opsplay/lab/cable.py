"""A cable between two TAP devices with delay, jitter and loss, for kernels without sch_netem. Runs as a process.

cable.py NAME_A NAME_B FOLDER: makes both devices, says "ready", and listens on FOLDER/cable.sock for
`delay_ms=20 jitter_ms=2 loss=0.01`, each for one direction.
"""

import contextlib
import fcntl
import heapq
import os
import random
import select
import socket
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x2, 0x1000
BURST = 64
LONGEST_QUEUE = 20000


def tap(name: str) -> int:
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return device


def control_path(folder: int) -> str:
    """Through the folder's descriptor: a socket's path may have 108 bytes only, a lab's home may be deeper."""
    return f"/proc/self/fd/{folder}/cable.sock"


def control_socket(folder: str) -> socket.socket:
    control = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    at = os.open(folder, os.O_RDONLY)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(control_path(at))
    control.bind(control_path(at))
    os.close(at)
    return control


class Cable:
    """Frames on their way, each with the moment when it may come out at the other end; order is kept."""

    def __init__(self, ends: list[int]) -> None:
        self.peer = {ends[0]: ends[1], ends[1]: ends[0]}
        self.last = dict.fromkeys(ends, 0.0)
        self.settings = {"delay_ms": 0.0, "jitter_ms": 0.0, "loss": 0.0}
        self.queue: list[tuple[float, int, int, bytes]] = []
        self.number = 0

    def take(self, end: int) -> None:
        for _ in range(BURST):
            try:
                frame = os.read(end, 65536)
            except OSError:
                return
            if random.random() < self.settings["loss"] or len(self.queue) > LONGEST_QUEUE:
                continue
            delay = (self.settings["delay_ms"] + random.random() * self.settings["jitter_ms"]) / 1000
            out = self.peer[end]
            self.last[out] = moment = max(time.monotonic() + delay, self.last[out])
            self.number += 1
            heapq.heappush(self.queue, (moment, self.number, out, frame))

    def give(self) -> float:
        """Send what is due; returns the seconds until the next frame is, -1 for none."""
        while self.queue:
            wait = self.queue[0][0] - time.monotonic()
            if wait > 0:
                return wait
            _, _, out, frame = heapq.heappop(self.queue)
            with contextlib.suppress(OSError):
                os.write(out, frame)
        return -1

    def set(self, text: str) -> None:
        for word in text.split():
            key, _, value = word.partition("=")
            self.settings[key] = float(value)


def main(name_a: str, name_b: str, folder: str) -> None:
    ends = [tap(name_a), tap(name_b)]
    control = control_socket(folder)
    cable = Cable(ends)
    poll = select.epoll()
    for descriptor in [*ends, control.fileno()]:
        poll.register(descriptor, select.EPOLLIN)
    print("ready", flush=True)
    while True:
        for descriptor, _ in poll.poll(cable.give()):
            if descriptor == control.fileno():
                cable.set(control.recv(4096).decode())
            else:
                cable.take(descriptor)


if __name__ == "__main__":
    main(*sys.argv[1:4])
