"""Debian version numbers: order and patterns, by Debian policy 5.6.12, without starting dpkg."""

import fnmatch
import re


def split(version):
    """(epoch, upstream, revision)"""
    epoch, colon, rest = version.partition(":")
    if not colon or not epoch.isdigit():
        epoch, rest = "0", version
    upstream, _, revision = rest.rpartition("-") if "-" in rest else (rest, "", "")
    return int(epoch), upstream, revision


def compare(left, right):
    """-1, 0 or 1"""
    one, other = split(left), split(right)
    if one[0] != other[0]:
        return -1 if one[0] < other[0] else 1
    return _compare_part(one[1], other[1]) or _compare_part(one[2], other[2])


def _compare_part(left, right):
    while left or right:
        a, left = _take(r"\D*", left)
        b, right = _take(r"\D*", right)
        order = _compare_text(a, b)
        if order:
            return order
        a, left = _take(r"\d*", left)
        b, right = _take(r"\d*", right)
        order = (int(a or 0) > int(b or 0)) - (int(a or 0) < int(b or 0))
        if order:
            return order
    return 0


def _take(pattern, text):
    found = re.match(pattern, text).group(0)
    return found, text[len(found):]


def _rank(character):
    """~ sorts before the end, the end before letters, letters before everything else."""
    if character == "~":
        return -1
    if not character:
        return 0
    return ord(character) if character.isalpha() else ord(character) + 256


def _compare_text(left, right):
    for at in range(max(len(left), len(right))):
        a, b = _rank(left[at:at + 1]), _rank(right[at:at + 1])
        if a != b:
            return -1 if a < b else 1
    return 0


def satisfies(version, operator, wanted):
    """`operator` is "=" (wanted may hold shell wildcards) or ">="."""
    if operator == ">=":
        return compare(version, wanted) >= 0
    return version == wanted or fnmatch.fnmatchcase(version, wanted)
