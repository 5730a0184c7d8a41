"""Free form: the `key=value` way to write a task's arguments, quotes and Jinja kept whole."""

from __future__ import annotations

import re

from opsplay.errors import OpsError, Where

PAIR = re.compile(r"^([A-Za-z_][A-Za-z0-9_]*|[^=]*\{\{.*?\}\}[^=]*)=(.*)$", re.DOTALL)
OPENERS = {"{{": "}}", "{%": "%}", "{#": "#}"}


def split_words(text: str, where: Where | None = None) -> list[str]:
    """Words separated by blanks; a quote or a Jinja bracket keeps what is inside together. Raises OpsError."""
    words: list[str] = []
    current: list[str] = []
    index, quote, closers = 0, "", []
    while index < len(text):
        two, char = text[index : index + 2], text[index]
        if not quote and two in OPENERS:
            closers.append(OPENERS[two])
        elif closers and two == closers[-1]:
            closers.pop()
        elif not closers and char == "\\" and quote != "'" and index + 1 < len(text):
            current.append(two)
            index += 2
            continue
        elif not closers and char in "'\"":
            quote = "" if quote == char else (quote or char)
        elif not closers and not quote and char in " \t\n":
            if current:
                words.append("".join(current))
                current = []
            if char == "\n":
                words.append("\n")
            index += 1
            continue
        step = 2 if (two in OPENERS and not quote) or two in ("}}", "%}", "#}") else 1
        current.append(text[index : index + step])
        index += step
    if quote or closers:
        what = f"the quote {quote} is never closed" if quote else f"{closers[-1]} is missing"
        raise OpsError("unbalanced-arguments", what, where, "Write the arguments as a YAML mapping instead.")
    if current:
        words.append("".join(current))
    return words


def parse_pairs(
    text: str, where: Where | None = None, free_form: bool = False, known: frozenset[str] = frozenset()
) -> dict[str, str]:
    """`a=1 b="x y"` as a dict; words that are no pair (or, with `known`, no known name) go to `_raw_params`."""
    pairs: dict[str, str] = {}
    raw: list[str] = []
    for word in split_words(text, where):
        match = PAIR.match(word)
        if match and (not free_form or match[1] in known):
            pairs[match[1]] = unescape(unquote(match[2]))
        else:
            raw.append(word)
    rest = join_words(raw) + ("\n" if raw[-1:] == ["\n"] and raw[:-1] else "") if pairs else whole_text(text)
    if rest:
        pairs["_raw_params"] = rest
    return pairs


def whole_text(text: str) -> str:
    """Free text with its blanks and its last line end, which a script may need; a backslash at the end of a line joins two."""
    joined = re.sub(r"(?<= )\\\n *", "", text) if "\\\n" in text else text
    joined = joined.strip(" ").lstrip("\n")
    return joined if "\n" in joined.strip() else joined.strip()


def join_words(words: list[str]) -> str:
    text = ""
    for word in words:
        text += word if word == "\n" or not text or text.endswith("\n") else " " + word
    return text.strip(" \n")


def unquote(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" and text[-2] != "\\" else text


ESCAPES = re.compile(r"\\(U[0-9A-Fa-f]{8}|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[nrtabfv\\\"'])")


def unescape(text: str) -> str:
    """Backslash escapes as Ansible decodes them in key=value text."""
    known = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}

    def decoded(match: re.Match[str]) -> str:
        return known.get(match[1]) or (chr(int(match[1][1:], 16)) if len(match[1]) > 1 else match[1])

    return ESCAPES.sub(decoded, text) if "\\" in text else text
