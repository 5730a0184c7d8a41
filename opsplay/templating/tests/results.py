"""Tests of registered results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsplay.truth import truth


def _result(result: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(result, Mapping):
        raise TypeError(f"The '{name}' test expects a dictionary")
    return result


def failed(result: Any) -> bool:
    """Whether the task failed."""
    return bool(truth(_result(result, "failed").get("failed", False)))


def success(result: Any) -> bool:
    """Whether the task did not fail."""
    return not failed(result)


def unreachable(result: Any) -> bool:
    """Whether the host could not be reached."""
    return bool(truth(_result(result, "unreachable").get("unreachable", False)))


def reachable(result: Any) -> bool:
    """Whether the host could be reached."""
    return not truth(_result(result, "reachable").get("unreachable", False))


def timedout(result: Any) -> bool:
    """Whether the task ran out of its time."""
    found = _result(result, "timedout").get("timedout", False)
    return bool(found.get("period") if isinstance(found, Mapping) else found)


def changed(result: Any) -> bool:
    """Whether the task changed something; of a loop, whether any item did."""
    found = _result(result, "changed")
    if "changed" not in found and isinstance(found.get("results"), list):
        return any(bool(item.get("changed")) for item in found["results"] if isinstance(item, Mapping))
    return bool(truth(found.get("changed", False)))


def skipped(result: Any) -> bool:
    """Whether the task was skipped."""
    return bool(truth(_result(result, "skipped").get("skipped", False)))


def started(result: Any) -> bool:
    """Whether the asynchronous task has started."""
    found = _result(result, "started")
    return bool(truth(found["started"])) if "started" in found else True


def finished(result: Any) -> bool:
    """Whether the asynchronous task has ended."""
    found = _result(result, "finished")
    return bool(truth(found["finished"])) if "finished" in found else True


TESTS = {
    "change": changed,
    "changed": changed,
    "failed": failed,
    "failure": failed,
    "finished": finished,
    "reachable": reachable,
    "skip": skipped,
    "skipped": skipped,
    "started": started,
    "succeeded": success,
    "success": success,
    "successful": success,
    "timedout": timedout,
    "unreachable": unreachable,
}
