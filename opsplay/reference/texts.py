"""A document as text for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

WIDTH = 100


def terminal_text(name: str, document: Mapping[str, Any], demands: list[str]) -> str:
    doc = document["doc"]
    lines = [f"> {name}", "", *wrapped(doc.get("short_description", ""), "  ")]
    for text in listed(doc.get("description"))[1:]:
        lines += ["", *wrapped(text, "  ")]
    lines += ["", "ARGUMENTS (* is required)", *option_lines(doc.get("options") or {}, "  ")]
    if demands:
        lines += ["", *(f"  - {text}" for text in demands)]
    check = (doc.get("attributes") or {}).get("check_mode", {})
    if isinstance(check, Mapping) and check.get("description"):
        lines += ["", f"CHECK MODE: {check['description'] if isinstance(check['description'], str) else ' '.join(check['description'])}"]
    for text in listed(doc.get("notes")):
        lines += ["", *wrapped(f"NOTE: {text}", "  ")]
    if document.get("examples"):
        lines += ["", "EXAMPLES", textwrap.indent(str(document["examples"]).strip(), "  ")]
    if document.get("return"):
        lines += ["", "RETURNS", *return_lines(document["return"])]
    return "\n".join(lines) + "\n"


def option_lines(options: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name, option in options.items():
        mark = "*" if option.get("required") else " "
        yield f"{indent}{mark} {name}  ({'; '.join(facts(option))})"
        for text in listed(option.get("description")):
            yield from wrapped(text, indent + "      ")
        if option.get("suboptions"):
            yield from option_lines(option["suboptions"], indent + "    ")


def facts(option: Mapping[str, Any]) -> Iterator[str]:
    kind = str(option.get("type", "str"))
    yield f"{kind} of {option['elements']}" if option.get("elements") else kind
    choices = option.get("choices")
    if choices:
        yield "one of " + ", ".join(str(item) for item in choices)
    if option.get("default") is not None:
        yield f"default {option['default']}"
    if option.get("aliases"):
        yield "also " + ", ".join(option["aliases"])


def return_lines(returns: Mapping[str, Any]) -> Iterator[str]:
    for name, value in returns.items():
        told = value if isinstance(value, Mapping) else {}
        text = " ".join(listed(told.get("description")))
        yield f"    {name}  ({told.get('type', 'raw')}) {text}".rstrip()


def snippet(name: str, document: Mapping[str, Any]) -> str:
    """A task with every argument, to paste into a playbook."""
    doc = document["doc"]
    lines = [f"- name: {doc.get('short_description', name)}", f"  {name}:"]
    for option, value in (doc.get("options") or {}).items():
        text = " ".join(listed(value.get("description")))
        required = "(required) " if value.get("required") else ""
        lines.append(f"      {option}:  # {required}{text}".rstrip(" #"))
    return "\n".join(lines) + "\n"


def listed(value: object) -> list[str]:
    if not value:
        return []
    return [str(item) for item in value] if isinstance(value, (list, tuple)) else [str(value)]


def wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(str(text), WIDTH, initial_indent=indent, subsequent_indent=indent) or [""]
