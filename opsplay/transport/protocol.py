"""Transport: the seam between the engine and a host; ssh, local and fake pass one contract suite."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Any, Protocol

from opsplay.errors import Fault, OpsError
from opsplay.lazy_dataclass import dataclass


class Unreachable(OpsError):
    """The host could not be reached or logged in to, before anything ran there."""

    def __init__(self, code: str, message: str, remedy: str = "") -> None:
        super().__init__(code, message, None, remedy, fault=Fault.HOST)


class ConnectionLost(Unreachable):
    """The link broke while work was under way: what that work did is unknown."""


class BecomeFailed(OpsError):
    """Privileges were not given: wrong password, not allowed, no such method."""


class ProtocolError(OpsError):
    """The host sent what no remote interpreter of ours sends."""


@dataclass(frozen=True, slots=True)
class Become:
    """Whom to become on the host, by `method` (sudo, su, doas). `password` never appears in repr or on a command line."""

    user: str = "root"
    method: str = "sudo"
    password: str | None = field(default=None, repr=False)
    flags: str | None = None
    exe: str | None = None
    chdir: str | None = None  # where to be before the program starts
    prompts: tuple[str, ...] = ()  # what su asks for the password with, where it is not "Password"


@dataclass(frozen=True, slots=True)
class Address:
    """Where and how to connect, from the inventory's connection variables, ssh_config and the command line."""

    host: str  # inventory name
    connection: str = "ssh"
    hostname: str = ""
    port: int | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    private_key_file: str | None = None
    private_key_passphrase: str | None = field(default=None, repr=False)
    ssh_args: str = ""  # ansible_ssh_common_args + extra args: -o options and -J are understood
    host_key_checking: bool = True
    known_hosts_file: str | None = None
    timeout: float = 10.0  # seconds to connect and log in
    python: str = "auto"  # a path, or auto
    shell: str = "/bin/sh"
    folder: str | None = None  # of the controller: where local processes start (the playbook's own folder)
    environment: dict[str, str] = field(default_factory=dict, hash=False, compare=False)


@dataclass(slots=True)
class Step:
    """One module call. `body` is raw bytes sent beside the arguments (file contents); it reaches system.body."""

    module: str
    args: dict[str, Any]
    check: bool = False
    diff: bool = False
    environment: dict[str, str] = field(default_factory=dict)
    deadline: float | None = None  # seconds; the remote side kills the work and says so
    body: bytes | None = None
    secret: bool = False  # no_log: the interpreter must not echo it anywhere
    background: float | None = None  # async: seconds it may run, detached; the Reply has ansible_job_id at once
    group: int | None = None  # the items of a loop: when one fails, the rest of its group still runs
    may_fail: bool = False  # its failure does not stop the frame (ignore_errors)
    beside: bool = False  # need not wait for other requests of the session: the host runs it in a process of its own
    on_line: Callable[[str, str], None] | None = None  # live output: (stream, line)
    lines_after: float = 0.0  # only of a step that takes longer: what it printed till then comes first


@dataclass(slots=True)
class Reply:
    """What a step gave. `ran` is False for the steps behind a failed one in the same frame."""

    result: dict[str, Any]
    body: bytes | None = None
    ran: bool = True
    took: float = field(default=0.0, compare=False)  # seconds that the step took, by the host's clock
    waited: float = field(default=0.0, compare=False)  # seconds from sending (or the answer before) to this answer, by ours


class Request(Protocol):
    """Steps under way on one host. Each future gives its Reply, in order, or ConnectionLost or ProtocolError."""

    replies: Sequence[asyncio.Future[Reply]]

    async def cancel(self) -> None:
        """End the work on the host: its process group gets SIGTERM, then SIGKILL after a grace of 2 s."""
        ...


class Session(Protocol):
    """One kept interpreter, on one host as one user. Requests queue up there and run one after the other."""

    @property
    def usable(self) -> bool:
        """False once its link broke or it was closed: ask the transport for another one then."""
        ...

    def submit(self, steps: Sequence[Step], stop_on_failure: bool = True) -> Request:
        """Send the steps in one frame. A failed module is a Reply whose result has failed=True.

        With stop_on_failure the steps behind a failed one do not run and give Reply(ran=False).
        """
        ...

    async def close(self) -> None: ...


class Transport(Protocol):
    """One connection to one host; sessions for several users share it."""

    async def connect(self) -> None:
        """Connect and log in. Raises Unreachable with a remedy."""
        ...

    async def session(self, become: Become | None = None, python: str | None = None) -> Session:
        """The kept interpreter as that user, started on first use. Raises Unreachable, BecomeFailed."""
        ...

    async def exec(
        self, command: str, become: Become | None = None, input: bytes = b"", timeout: float | None = None
    ) -> dict[str, Any]:
        """Run a raw shell command without any Python on the host: {"rc", "stdout", "stderr"} (bytes decoded, capped)."""
        ...

    async def open_stream(self, target: tuple[str, int] | str, become: Become | None = None) -> Any:
        """A connected local socket forwarded to the host's TCP (host, port) or unix socket path (PostgreSQL, Redis).

        With `become` the connection is made on the host by a process of that user, as peer authentication wants it.
        """
        ...

    async def close(self) -> None: ...
