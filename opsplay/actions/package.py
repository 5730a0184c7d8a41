"""Install and remove packages by whatever package manager the host has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opsplay.remote.modules._package import SPEC
from opsplay.remote.spec import Args

if TYPE_CHECKING:
    from opsplay.actions._file_transfer import FIRST
    from opsplay.actions.context import Context

__all__ = ["SPEC", "act", "first_step"]
VARIABLE = "ansible_package_use"


def first_step(context: Context, args: Args) -> FIRST:
    """The one step that does it all; the variable counts where the task itself leaves the choice open."""
    sent = {name: value for name, value in args.items() if value is not None}
    if sent.get("use", "auto") == "auto" and (chosen := context.templar.resolve_plain(VARIABLE, context.scope)):
        sent["use"] = str(chosen)
    return "_package", sent, None


async def act(context: Context, args: Args) -> dict[str, Any]:
    name, sent, _ = first_step(context, args)
    return await context.module(name, sent)
