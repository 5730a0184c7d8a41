"""Which lines a file has once a marked block is ensured or removed: the rules of blockinfile, without the file."""

import re

from opsplay.remote.line_edit import insertion_place
from opsplay.remote.text_lines import ended, pattern, split_lines, without_end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Tuple

    from opsplay.remote.spec import Args


def with_block(lines: "List[str]", args: "Args") -> "List[str]":
    """The lines with args.block between its markers, or without both where the block is empty or absent."""
    opening = args.marker.replace("{mark}", args.marker_begin)
    closing = args.marker.replace("{mark}", args.marker_end)
    span = _marked(lines, opening, closing)
    wanted = _block(args, opening, closing)
    if span is not None:
        before, after = lines[:span[0]], lines[span[1] + 1:]
    elif not wanted:
        return lines
    else:
        place = _place(lines, args)
        before, after = lines[:place], lines[place:]
    if not wanted:
        return before + after
    before = ended(before)
    if args.prepend_newline and before and without_end(before[-1]):
        before = before + ["\n"]
    if args.append_newline and after and without_end(after[0]):
        after = ["\n"] + after
    return before + wanted + after


def _marked(lines: "List[str]", opening: "str", closing: "str") -> "Optional[Tuple[int, int]]":
    """First and last line of the block that is there: the last pair of markers, in whatever order they stand."""
    bare = [without_end(line) for line in lines]
    first, last = _last(bare, opening), _last(bare, closing)
    if first is None or last is None:
        return None
    return (first, last) if first <= last else (last, first)


def _last(bare: "List[str]", marker: "str") -> "Optional[int]":
    places = [number for number, line in enumerate(bare) if line == without_end(marker)]
    return places[-1] if places else None


def _block(args: "Args", opening: "str", closing: "str") -> "List[str]":
    if args.state == "absent" or not args.block.strip("\n"):
        return []
    block = args.block if args.block.endswith("\n") else args.block + "\n"
    return ended([without_end(opening) + "\n"]) + split_lines(block) + [without_end(closing) + "\n"]


def _place(lines: "List[str]", args: "Args") -> "int":
    """Behind (or before) the last line that matches; a pattern that spans lines is searched in the whole text."""
    chosen = args.insertafter or args.insertbefore
    if chosen and "(?m)" in chosen and chosen not in ("BOF", "EOF"):
        return _multiline_place(lines, chosen, bool(args.insertafter))
    return insertion_place(lines, args.insertafter, args.insertbefore)


def _multiline_place(lines: "List[str]", chosen: "str", after: "bool") -> "int":
    regexp = pattern(chosen, "insertafter" if after else "insertbefore", re.MULTILINE)
    text = "".join(lines)
    matches = list(regexp.finditer(text)) if regexp is not None else []
    if not matches:
        return len(lines)
    offset = matches[-1].end() if after else matches[-1].start()
    number = text.count("\n", 0, offset)
    return number + 1 if after and not text[:offset].endswith("\n") else number
