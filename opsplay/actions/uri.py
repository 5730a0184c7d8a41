"""Send an HTTP request from the host."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsplay.remote.modules._uri import SPEC
from opsplay.remote.spec import Args

if TYPE_CHECKING:
    from opsplay.actions.context import Context

__all__ = ["SPEC", "act"]


async def act(context: Context, args: Args) -> dict[str, Any]:
    """Files that the request needs go along, unless remote_src says that the host has them."""
    sent = {name: value for name, value in args.items() if value is not None}
    if args.remote_src:
        return await context.module("_uri", sent)
    if args.body_format == "form-multipart" and isinstance(args.body, dict):
        sent["body"] = {name: with_file(context, value) for name, value in args.body.items()}
    body = Path(context.find_file("files", args.src)).read_bytes() if args.src else None
    return await context.module("_uri", sent, body=body)


def with_file(context: Context, value: Any) -> Any:
    """A part that names a file of the controller, with what is in it."""
    if isinstance(value, list):
        return [with_file(context, item) for item in value]
    if not isinstance(value, dict) or value.get("filename") is None or value.get("content") is not None:
        return value
    data = Path(context.find_file("files", str(value["filename"]))).read_bytes()
    return {**value, "content_base64": base64.b64encode(data).decode("ascii")}
