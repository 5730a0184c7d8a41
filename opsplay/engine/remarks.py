"""Remarks: the warnings and deprecations that results carry, told once each."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from opsplay.events import Notice

if TYPE_CHECKING:
    from opsplay.engine.run import Run

DEPRECATED = "deprecated"


def tell_remarks(run: Run, result: Mapping[str, Any], where: str, host: str) -> None:
    told = [("warning", str(text)) for text in texts(result, "warnings")]
    if run.settings.deprecation_warnings:
        told += [(DEPRECATED, deprecation(item)) for item in texts(result, "deprecations")]
    for level, text in told:
        if (level, text) not in run.remarks:
            run.remarks.add((level, text))
            run.emit(Notice(time.time(), level, text, where, host))


def texts(result: Mapping[str, Any], key: str) -> list[Any]:
    found = result.get(key)
    return found if isinstance(found, list) else [found] if found else []


def deprecation(item: object) -> str:
    """As Ansible words it: what is old, and when it ends."""
    if not isinstance(item, Mapping):
        return str(item)
    text = str(item.get("msg", "")).rstrip(".") + "."
    collection = item.get("collection_name")
    source = f" from {collection}" if collection else ""
    if item.get("date"):
        return f"{text} This feature will be removed{source} in a release after {item['date']}."
    if item.get("version"):
        return f"{text} This feature will be removed{source} in version {item['version']}."
    return text
