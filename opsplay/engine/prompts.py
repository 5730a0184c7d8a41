"""Prompts: vars_prompt, asked once before a play."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from opsplay.errors import Fault, OpsError
from opsplay.model.play import Play
from opsplay.templating.layer import VarLayer
from opsplay.templating.template import Template
from opsplay.truth import is_true

Ask = Callable[..., str | None]


def ask_variables(play: Play, extra: VarLayer, ask: Ask, render: Callable[[object], Any]) -> VarLayer:
    """A layer with the answers; names given with -e are not asked. Raises OpsError where an answer cannot be had."""
    values: dict[str, object] = {}
    for prompt in play.vars_prompt:
        name = str(prompt["name"])
        if name not in extra.values:
            values[name] = answer(prompt, ask, render)
    return VarLayer("vars_prompt", values)


def answer(prompt: Mapping[str, object], ask: Ask, render: Callable[[object], Any]) -> object:
    default = render(prompt.get("default"))
    text = str(render(prompt.get("prompt")) or f"{prompt['name']}")
    shown = f"{text} [{default}]: " if default is not None else f"{text}: "
    private = is_true(prompt.get("private", True))
    reply = ask(shown, not private)
    if reply and is_true(prompt.get("confirm", False)) and ask(f"confirm {shown}", not private) != reply:
        raise OpsError(
            "prompt-not-confirmed", "the two answers are not the same", remedy="Run again.", fault=Fault.USAGE
        )
    value: object = reply if reply else default
    if value is None:
        value = ""
    if prompt.get("encrypt"):
        from opsplay.templating.filters.hashing import password_hash

        value = password_hash(str(value), str(prompt["encrypt"]), salt=str(prompt["salt"]) if prompt.get("salt") else None)
    return (
        Template(value)
        if isinstance(value, str) and "{{" in value and not is_true(prompt.get("unsafe", False))
        else value
    )
