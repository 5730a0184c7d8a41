"""Results: what a module gave, brought to Ansible's documented keys, and made fit to be shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

CENSORED = "the output has been hidden due to the fact that 'no_log: true' was specified for this result"
HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
MASK = "********"
BECAUSE = "unknown_because"  # in the result of what a check run cannot know
NO_TRACEBACK = "(traceback unavailable)"  # what Ansible registers as `exception` of a failure
INTERNAL = (
    "_opsplay_facts_done",
    "_ansible_facts_cacheable",
    "_ansible_no_log",
    "_ansible_item_label",
    "_ansible_parsed",
    "_ansible_verbose_always",
    "_ansible_verbose_override",
)


def normalise(result: dict[str, Any]) -> dict[str, Any]:
    """`changed`, `failed` from rc, and the *_lines keys, as every registered result has them."""
    result.setdefault("changed", False)
    if "failed" not in result and result.get("rc", 0) not in (0, "0", "", None):
        result["failed"] = True
    result.setdefault("failed", False)
    for stream in ("stdout", "stderr"):
        if f"{stream}_lines" not in result and isinstance(text := result.get(stream), str):
            result[f"{stream}_lines"] = text.splitlines()
    return result


def failure(message: str, **more: Any) -> dict[str, Any]:
    return {"failed": True, "msg": message, "changed": False, **more}


def skipped(reason: str, condition: object = None) -> dict[str, Any]:
    result = {"changed": False, "skipped": True, "skip_reason": reason}
    if condition is not None:
        result["false_condition"] = condition
    return result


def status_of(result: Mapping[str, Any]) -> str:
    if result.get("unreachable"):
        return "unreachable"
    if result.get("failed") and not forgiven(result):
        return "failed"
    if BECAUSE in result:
        return "unknown"
    if result.get("skipped"):
        return "skipped"
    return "changed" if result.get("changed") else "ok"


def forgiven(result: Mapping[str, Any]) -> bool:
    """failed_when found no failure in what `until` gave up on: failed to who asks the result, but no failure."""
    judged = result.get("failed_when_result")
    if judged is not None:
        return not judged
    failed = [item for item in result.get("results") or () if isinstance(item, Mapping) and item.get("failed")]
    return bool(failed) and all(forgiven(item) for item in failed)


def combine(items: list[dict[str, Any]]) -> dict[str, Any]:
    """The result of a loop, made of its items' results."""
    if not items:
        return {
            "changed": False,
            "skipped": True,
            "skipped_reason": "No items in the list",
            "skip_reason": "No items in the list",
            "results": [],
        }
    result: dict[str, Any] = {
        "results": items, "changed": any(item.get("changed") for item in items), "failed": False, "skipped": False,
    }  # fmt: skip
    result["msg"] = "All items completed"
    if all(item.get("skipped") for item in items):
        result["skipped"] = True
        result["msg"] = "All items skipped"
    if any(item.get("failed") for item in items):
        result["failed"] = True
        result["exception"] = NO_TRACEBACK
        result["msg"] = "One or more items failed"
    if any(item.get("unreachable") for item in items):
        result["unreachable"] = True
    if because := next((item[BECAUSE] for item in items if BECAUSE in item), None):
        result[BECAUSE] = because
        result["msg"] = because if not result["failed"] else result["msg"]
    return result


def secrets_in(args: Mapping[str, Any], spec: Any) -> set[str]:
    """The values of arguments that the Spec marks as secret."""
    if spec is None:
        return set()
    found: set[str] = set()
    for name, argument in spec.args.items():
        if argument.secret and args.get(name):
            found |= set(_texts(args[name]))
    return found


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def masked(value: Any, secrets: set[str]) -> Any:
    """The value with every secret text in it replaced."""
    if not secrets:
        return value
    if isinstance(value, str):
        if value in secrets:
            return HIDDEN
        for secret in secrets:
            if len(secret) > 2 and secret in value:
                value = value.replace(secret, MASK)
        return value
    if isinstance(value, Mapping):
        return {key: masked(item, secrets) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(item, secrets) for item in value]
    return HIDDEN if str(value) in secrets and not isinstance(value, bool) and len(str(value)) > 3 else value


def public(result: Mapping[str, Any], no_log: bool) -> dict[str, Any]:
    """The result as events carry it: censored under no_log, engine-internal keys gone."""
    if no_log or result.get("_ansible_no_log") is True:
        kept = {
            key: result[key]
            for key in ("changed", "failed", "unreachable", "skipped", "attempts", "retries")
            if key in result
        }
        if BECAUSE in result:
            kept[BECAUSE] = kept["msg"] = "no_log hides why"
        return {"censored": CENSORED, **kept}
    return {
        key: value
        for key, value in result.items()
        if key not in INTERNAL and value is not NO_TRACEBACK and (value or key not in ("failed", "skipped"))
    }
