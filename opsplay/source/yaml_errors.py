"""YAML errors in plain words: what libyaml says, turned into the cause that a person can see and mend."""

from __future__ import annotations

import re
from typing import Any

import yaml

from opsplay.errors import OpsError, Where

_TEMPLATE_VALUE = re.compile(r"(?:^|[:\-,\[]\s+|^\s*-\s+)(\{\{)")
_QUOTED_THEN_MORE = re.compile(r"""[:\-]\s+(["'])(?:(?!\1).)*\1\s*[^\s#,}\]]""")
_KEY_ENDS = re.compile(r":\s")
_CODE = "yaml-syntax"
_ONE_COLUMN = "Check the indentation: keys of one mapping start in one column."


def refuse(code: str, message: str, where: Where, remedy: str) -> OpsError:
    return OpsError(code, message, where, remedy)


def explain(error: yaml.YAMLError, data: bytes, path: str) -> OpsError:
    """The OpsError for what the parser met."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return OpsError(_CODE, _first_line(str(error)), Where(path, 1, 1), "Check the file's encoding and content.")
    where = Where(path, mark.line + 1, mark.column + 1)
    problem = str(getattr(error, "problem", "") or "")
    lines = data.decode("utf-8", "replace").splitlines() if len(data) < 8_000_000 else []
    return _explain_place(problem, error, where, lines)


def _explain_place(problem: str, error: Any, where: Where, lines: list[str]) -> OpsError:
    line = lines[where.line - 1] if where.line <= len(lines) else ""
    char = line[where.column - 1 : where.column]
    context = str(getattr(error, "context", "") or "")
    if char == "\t" or ("cannot start any token" in problem and "\t" in line[: where.column]):
        remedy = "Indent with spaces (expand -t 2 FILE converts tabs)."
        return OpsError(_CODE, "a tab cannot indent YAML", where, remedy)
    template = _template_in(lines, where)
    if template:
        return unquoted_template(template)
    if "mapping values are not allowed" in problem:
        return _stray_colon(where, line)
    if "quoted scalar" in context and ("end of stream" in problem or "document indicator" in problem):
        return _unclosed_quote(error, where)
    return _explain_rest(problem, context, error, where, lines, char)


def _template_in(lines: list[str], where: Where) -> Where | None:
    """The place of a `{{` that starts a value, on the line of the error or the one before it."""
    for number in (where.line, where.line - 1):
        found = _TEMPLATE_VALUE.search(lines[number - 1]) if 0 < number <= len(lines) else None
        if found:
            return Where(where.path, number, found.start(1) + 1)
    return None


def unquoted_template(where: Where) -> OpsError:
    return OpsError(
        "yaml-unquoted-template",
        "a value that starts with {{ must be quoted: YAML reads { as the start of a mapping",
        where,
        'Write it as "{{ name }}", with quotes around the whole value.',
        width=2,
    )


def _stray_colon(where: Where, line: str) -> OpsError:
    if where.column > len(line.rstrip()) or not line[: where.column - 1].strip():
        message, remedy = "a mapping cannot start here", _ONE_COLUMN
    elif not _KEY_ENDS.search(line[: where.column - 1]):
        message = 'the line above is text without ": ", which this line continues, so it cannot be a key'
        remedy = "Write the line above as KEY: VALUE, or check the indentation."
    else:
        message = 'a second ": " on this line: YAML takes it for another key'
        remedy = "Quote the whole value if the colon is part of it, or check the indentation of this line."
    return OpsError(_CODE, message, where, remedy)


def _unclosed_quote(error: Any, where: Where) -> OpsError:
    place = _opening(error, where)
    return OpsError("yaml-unclosed-quote", "this quote is never closed", place, "Close it, or remove it.")


def _opening(error: Any, where: Where) -> Where:
    """The place where what went wrong had begun, where that was on an earlier line."""
    mark = error.context_mark
    return Where(where.path, mark.line + 1, mark.column + 1) if mark and mark.line + 1 < where.line else where


def _explain_rest(problem: str, context: str, error: Any, where: Where, lines: list[str], char: str) -> OpsError:
    line = lines[where.line - 1] if where.line <= len(lines) else ""
    if _QUOTED_THEN_MORE.search(line) and ("expected" in problem):
        return OpsError(_CODE, "text follows a closing quote", where, "Put the quotes around the whole value.")
    if "could not find expected ':'" in problem or "did not find expected ','" in problem:
        where = _opening(error, where)
    for pattern, message, remedy in _SAYINGS:
        if pattern in problem or pattern in context:
            return OpsError(_CODE, message.format(char=char), where, remedy)
    message = _first_line(problem or "this is not YAML")
    return OpsError(_CODE, message, where, "Check the indentation and the quotes near here.")


_SAYINGS = (
    ("cannot start any token", "a value cannot start with {char}", "Quote the value."),
    (
        "could not find expected ':'",
        'a line without ": " where a key was expected',
        "Check the line above and its indentation.",
    ),
    ("did not find expected key", "a key was expected here", _ONE_COLUMN),
    (
        "did not find expected '-' indicator",
        "a list item (- ...) was expected here",
        "Check the indentation of the list.",
    ),
    (
        "did not find expected ',' or ']'",
        "a list in [brackets] is not closed",
        "Close it with ], and put commas between items.",
    ),
    (
        "did not find expected ',' or '}'",
        "a mapping in {{braces}} is not closed",
        "Close it with }, and put commas between pairs.",
    ),
    (
        "unknown escape character",
        "not an escape that double quotes know",
        "Use single quotes, or write the backslash twice.",
    ),
    ("did not find expected hexdecimal number", "an escape without its hexadecimal digits", "Use single quotes."),
    ("while scanning an alias", "a value that starts with * is an alias", 'Quote it if it is text: "*".'),
    ("while scanning an anchor", "a value that starts with & is an anchor", 'Quote it if it is text: "&...".'),
    ("directive", "a line that starts with % is a directive to YAML", "Quote the value if it is text."),
    ("undefined tag handle", "a value that starts with ! is a tag", "Quote the value if it is text."),
    ("scanning a tag", "a value that starts with ! is a tag", "Quote the value if it is text."),
    (
        "node content",
        "a value was expected here",
        "Check the line above: a key, a bracket or a quote may be unfinished.",
    ),
    (
        "block sequence entries",
        "a list cannot start on the line of its key",
        "Start the list (- ...) on a line of its own.",
    ),
    (
        "block scalar",
        "a block (| or >) is written wrongly",
        "Write | or > alone at the line's end, the text indented below.",
    ),
    ("found character that cannot start", "a value cannot start with {char}", "Quote the value."),
)


def bad_key(data: bytes, where: Where, parent: Where) -> OpsError:
    """A mapping or list as a key: nearly always an unquoted template."""
    lines = data.decode("utf-8", "replace").splitlines()
    line = lines[where.line - 1] if where.line <= len(lines) else ""
    if line[where.column - 1 : where.column] == "{" and parent.line == where.line and parent.column == where.column - 1:
        return unquoted_template(parent)
    return OpsError("yaml-bad-key", "a key must be a single word or text", where, "Quote the key if it is text.")


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "this is not YAML"
