"""Fixtures: a private sshd, and each transport in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from opsplay.transport.fake import FakeTransport, World
from opsplay.transport.local import LocalTransport
from opsplay.transport.protocol import Address
from opsplay.transport.ssh import SshTransport
from tests.transport.private_sshd import PYTHON, PrivateSshd


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateSshd]:
    server = PrivateSshd(tmp_path_factory.mktemp("sshd")).start()
    yield server
    server.stop()


@pytest.fixture(params=["ssh", "local"])
def real(request: pytest.FixtureRequest, sshd: PrivateSshd) -> Callable[..., Any]:
    """Makes a transport that runs things for real."""
    if request.param == "local":
        return lambda tuning=None, **changes: LocalTransport(Address("h1", "local", python=PYTHON, **changes), tuning)
    return lambda tuning=None, **changes: SshTransport(sshd.address(**changes), tuning)


@pytest.fixture(params=["ssh", "local", "fake"])
def any_transport(request: pytest.FixtureRequest, sshd: PrivateSshd) -> Callable[[], Any]:
    """Makes a transport of each kind; the fake is taught what the contract asks of it."""
    if request.param == "fake":
        return lambda: FakeTransport(Address("h1", "fake"), world=contract_world())
    if request.param == "local":
        return lambda: LocalTransport(Address("h1", "local"))
    return lambda: SshTransport(sshd.address())


def contract_world() -> World:
    def ping(step: Any) -> dict[str, Any]:
        if step.args["data"] == "crash":
            return {"failed": True, "msg": "Exception: boom"}
        return {"ping": step.args["data"]}

    return World(
        {"ping": ping, "command": {"rc": 0, "stdout": "out", "changed": True}},
        {"echo out; echo err >&2; exit 3": {"rc": 3, "stdout": "out\n", "stderr": "err\n"}},
    )
