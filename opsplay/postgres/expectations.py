"""Expectations: an answer against expect, min and max, as a sentence and a level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsplay.remote.spec import Argument, Choice, Number, Raw, Text

CHECK_FIELDS: dict[str, Argument] = {
    "name": Text(text="What the check is called in reports."),
    "query": Text(required=True),
    "expect": Raw(text="The one right answer."),
    "min": Number(),
    "max": Number(),
    "database": Text(text="Ignored here: for whoever sorts the checks."),
    "level": Choice("warn", "crit", default="crit", text="How bad a wrong answer is."),
}


def verdict(check: Mapping[str, Any], value: Any) -> dict[str, Any]:
    name = check.get("name") or " ".join(check["query"].split())[:80]
    wrong = _wrong(check, value)
    level = (check.get("level") or "crit") if wrong else "ok"
    return {"check": name, "value": value, "level": level, "message": f"{name}: {wrong or f'{value}, as expected'}"}


def _wrong(check: Mapping[str, Any], value: Any) -> str:
    expect = check.get("expect")
    if expect is not None and str(value) != str(expect):
        return f"{value}, expected {expect}"
    if check.get("min") is not None and (value is None or float(value) < check["min"]):
        return f"{value}, less than {check['min']:g}"
    if check.get("max") is not None and (value is None or float(value) > check["max"]):
        return f"{value}, more than {check['max']:g}"
    return ""
