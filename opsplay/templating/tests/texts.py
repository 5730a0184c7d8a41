"""Tests of text: regular expressions and URLs."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlparse

from opsplay.templating import patterns
from opsplay.templating.texts import to_text

OPERATIONS = ("search", "match", "fullmatch")


def regex(
    value: Any = "", pattern: Any = "", ignorecase: bool = False, multiline: bool = False, match_type: str = "search"
) -> bool:
    """Whether the expression is found; `match_type` is search, match or fullmatch."""
    operation = match_type if match_type in OPERATIONS else "search"
    found = patterns.search(to_text(pattern), to_text(value), patterns.flags(ignorecase, multiline), operation)
    return found is not None


def match(value: Any, pattern: Any = "", ignorecase: bool = False, multiline: bool = False) -> bool:
    """Whether the expression matches at the beginning."""
    return regex(value, pattern, ignorecase, multiline, "match")


def search(value: Any, pattern: Any = "", ignorecase: bool = False, multiline: bool = False) -> bool:
    """Whether the expression is found anywhere."""
    return regex(value, pattern, ignorecase, multiline, "search")


def uri(value: Any, schemes: Any = None) -> bool:
    """Whether the text is a URI, of one of the schemes where they are given."""
    try:
        found = urlparse(to_text(value))
    except ValueError:
        return False
    return schemes is None or found.scheme in schemes


def url(value: Any, schemes: Any = None) -> bool:
    """Whether the text is a URL: a URI that says where."""
    if not uri(value, schemes):
        return False
    found = urlparse(to_text(value))
    return bool(found.scheme) and bool(found.netloc)


def urn(value: Any) -> bool:
    """Whether the text is a URN."""
    return uri(value, ["urn"])


TESTS = {"match": match, "regex": regex, "search": search, "uri": uri, "url": url, "urn": urn}
