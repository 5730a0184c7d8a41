"""Filters about a value as such: its truth, its type, whether it is there at all; and comments."""

from __future__ import annotations

from typing import Any

from jinja2.runtime import Undefined as JinjaUndefined

from opsplay.templating.budget import check_width
from opsplay.templating.texts import to_text
from opsplay.templating.undefined import type_name
from opsplay.truth import TRUE, truth

STYLES: dict[str, dict[str, str]] = {
    "plain": {"decoration": "# "},
    "erlang": {"decoration": "% "},
    "c": {"decoration": "// "},
    "cblock": {"beginning": "/*", "decoration": " * ", "end": " */"},
    "xml": {"beginning": "<!--", "decoration": " - ", "end": "-->"},
}


def bool_(value: Any) -> bool:
    """The value as a boolean: yes, on, 1 and true are true; any other text is false, y and t too, as documented."""
    return value.lower() in TRUE - {"y", "t"} if isinstance(value, str) else bool(truth(value))


def ternary(value: Any, true_val: Any, false_val: Any, none_val: Any = None) -> Any:
    """One of two values, by whether the first is true; or the third where it is none."""
    if value is None and none_val is not None:
        return none_val
    return true_val if value else false_val


def mandatory(value: Any, msg: Any = None) -> Any:
    """The value; fails where it is not defined."""
    if isinstance(value, JinjaUndefined):
        name = getattr(value, "_undefined_name", None)
        raise ValueError(to_text(msg) if msg is not None else f"Mandatory variable {name!r} not defined.")
    return value


def type_debug(value: Any) -> str:
    """The Python name of the value's type."""
    return type_name(value)


def comment(text: Any, style: str = "plain", **options: Any) -> str:
    """The text as a comment, in one of several styles."""
    if style not in STYLES:
        raise ValueError(f"Invalid style {style!r}.")
    for number in ("prefix_count", "postfix_count"):
        check_width(options.get(number))
    chosen = {**STYLES[style], **options}
    newline = to_text(chosen.get("newline", "\n"))
    before, after = _before(chosen, newline), _after(chosen, newline)
    body = _body(to_text(text), chosen, newline)
    beginning, end = to_text(chosen.get("beginning", "")), to_text(chosen.get("end", ""))
    parts: list[str] = [beginning + newline if beginning else "", before, body, after, newline + end if end else ""]
    return "".join(parts)


def _before(options: dict[str, Any], newline: str) -> str:
    text = to_text(options.get("prefix", options["decoration"].rstrip()))
    if not text:
        return ""
    return (newline if text == newline else text + newline) * int(options.get("prefix_count", 1))


def _after(options: dict[str, Any], newline: str) -> str:
    text = to_text(options.get("postfix", options["decoration"].rstrip()))
    return (newline + text) * int(options.get("postfix_count", 1))


def _body(text: str, options: dict[str, Any], newline: str) -> str:
    decoration = to_text(options["decoration"])
    lines = [(decoration + line).rstrip() if not line.strip() else decoration + line for line in text.split(newline)]
    return newline.join(lines)


FILTERS = {"bool": bool_, "comment": comment, "mandatory": mandatory, "ternary": ternary, "type_debug": type_debug}
