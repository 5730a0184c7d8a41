"""Link: one process on the host, seen as bytes in and out; SSH channels and local processes are links."""

from __future__ import annotations

from typing import Protocol


class Listener(Protocol):
    """Who hears a link. Called on the event loop."""

    def output(self, data: bytes) -> None: ...

    def errors(self, data: bytes) -> None: ...

    def ended(self, status: int | None, why: str) -> None:
        """Nothing more comes. `status` is the exit status, None when the link broke or a signal ended the process."""
        ...


class Link(Protocol):
    """A process under way. `listener` may be replaced at any time."""

    listener: Listener

    def send(self, data: bytes) -> None:
        """Queues the bytes; never blocks."""
        ...

    def finish(self) -> None:
        """End of input, behind what is queued."""
        ...

    def signal(self, name: str) -> None:
        """Asks for a signal (TERM, KILL) to the process and its group.

        It reaches nothing where the process runs as another user than the login, nor, up to OpenSSH 9.7, as root.
        """
        ...

    def close(self) -> None:
        """Lets the link go; the process sees the end of its input. `ended` is not called any more."""
        ...


class Opener(Protocol):
    """How a transport starts processes."""

    async def __call__(self, command: str, listener: Listener, pty: bool = False) -> Link: ...
