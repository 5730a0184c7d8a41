"""Jinja's own filters that make text or lists of any size, with our limits in front."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jinja2 import filters, pass_environment, pass_eval_context
from markupsafe import Markup

from opsplay.templating.budget import check_items, check_text, check_width
from opsplay.templating.environment import check_format, check_join, check_replace
from opsplay.templating.failures import limit_exceeded
from opsplay.templating.texts import to_text


def batch(value: Any, linecount: int, fill_with: Any = None) -> list[Any]:
    """The list in groups of `linecount` items."""
    check_items(linecount)
    return list(filters.do_batch(value, linecount, fill_with))


def slice_(value: Any, slices: int, fill_with: Any = None) -> list[Any]:
    """The list in so many columns."""
    check_items(slices)
    return list(filters.sync_do_slice(value, slices, fill_with))


def center(value: Any, width: int = 80) -> str:
    """The text in the middle of a field."""
    check_width(width)
    return filters.do_center(to_text(value), width)


def format_(value: Any, *args: Any, **kwargs: Any) -> str:
    """The text with its `%` places filled."""
    check_format(to_text(value), (*args, *kwargs.values()))
    return filters.do_format(to_text(value), *args, **kwargs)


def indent(value: Any, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    """The text with its lines moved to the right."""
    check_width(width)
    text = value if isinstance(value, Markup) else to_text(value)
    check_text(len(text) + text.count("\n") * (width if isinstance(width, int) else len(width)))
    return filters.do_indent(text, width, first, blank)


@pass_eval_context
def join(eval_ctx: Any, value: Any, d: str = "", attribute: str | int | None = None) -> str:
    """The items of a list as one text."""
    items = list(value)
    if attribute is not None:
        items = list(map(filters.make_attrgetter(eval_ctx.environment, attribute), items))
    texts = [str(item) for item in items]
    check_join(str(d), texts)
    return str(d).join(texts)


@pass_eval_context
def replace(eval_ctx: Any, value: Any, old: Any, new: Any, count: int | None = None) -> str:
    """The text with one part replaced by another."""
    text = to_text(value)
    check_replace(text, to_text(old), to_text(new))
    return filters.do_replace(eval_ctx, text, to_text(old), to_text(new), count)


@pass_environment
def sum_(environment: Any, value: Iterable[Any], attribute: str | int | None = None, start: Any = 0) -> Any:
    """The sum of a list's items."""
    getter = filters.make_attrgetter(environment, attribute) if attribute is not None else None
    total = start
    spend = environment.templar.budget().spend
    for item in value:
        total = total + (getter(item) if getter else item)
        spend(len(total) // 100 if isinstance(total, (list, tuple)) else 0)
    return total


@pass_eval_context
def tojson(eval_ctx: Any, value: Any, indent: int | None = None) -> Any:
    """Data as JSON that is safe inside HTML."""
    check_width(indent)
    return str(filters.do_tojson(eval_ctx, value, indent))


@pass_environment
def truncate(
    environment: Any, value: Any, length: int = 255, killwords: bool = False, end: str = "...",
    leeway: int | None = None,
) -> str:  # fmt: skip
    """The text cut to a length."""
    return filters.do_truncate(environment, to_text(value), length, killwords, end, leeway)


@pass_environment
def wordwrap(
    environment: Any, value: Any, width: int = 79, break_long_words: bool = True, wrapstring: str | None = None,
    break_on_hyphens: bool = True,
) -> str:  # fmt: skip
    """The text in lines of a width."""
    text = to_text(value)
    longest = max(map(len, text.split()), default=0)
    if longest * longest > 1_000_000_000 * max(1, width):
        raise limit_exceeded("wrapping a word of that length")
    return filters.do_wordwrap(environment, text, width, break_long_words, wrapstring, break_on_hyphens)


FILTERS = {
    "batch": batch,
    "center": center,
    "format": format_,
    "indent": indent,
    "join": join,
    "replace": replace,
    "slice": slice_,
    "sum": sum_,
    "tojson": tojson,
    "truncate": truncate,
    "wordwrap": wordwrap,
}
