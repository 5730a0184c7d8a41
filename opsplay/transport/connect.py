"""Connect: which transport serves which connection name."""

from __future__ import annotations

from opsplay.errors import Fault, OpsError, did_you_mean
from opsplay.transport.protocol import Address, Transport
from opsplay.transport.tuning import Tuning, tuning_from

SSH_NAMES = ("ssh", "smart", "paramiko", "paramiko_ssh")
NAMES = (*SSH_NAMES, "local", "fake")


def transport_for(address: Address, settings: object = None) -> Transport:
    """The transport that the address's connection names; nothing is connected yet. `settings` may be a Tuning."""
    tuning = settings if isinstance(settings, Tuning) else tuning_from(settings)
    name = address.connection.removeprefix("ansible.builtin.").removeprefix("ansible.legacy.")
    if name in SSH_NAMES:
        from opsplay.transport.ssh import SshTransport

        return SshTransport(address, tuning)
    if name == "local":
        from opsplay.transport.local import LocalTransport

        return LocalTransport(address, tuning)
    if name == "fake":
        from opsplay.transport.fake import FakeTransport

        return FakeTransport(address, tuning)
    raise OpsError(
        "unknown-connection",
        f'no connection is called "{address.connection}"',
        remedy=f"{did_you_mean(address.connection, NAMES)} There are: {', '.join(NAMES)}.".strip(),
        fault=Fault.CONTENT,
    )
