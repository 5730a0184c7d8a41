"""Which lines a file has once one line is ensured or removed: the rules of lineinfile, without the file."""

from opsplay.remote.text_lines import ended, pattern, without_end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, List, Optional, Tuple

    from opsplay.remote.spec import Args


def with_line(lines: "List[str]", args: "Args") -> "Tuple[List[str], str]":
    """The lines with args.line in its place, and what was done ("" for nothing)."""
    line = args.line
    place, match = _selected(lines, args)
    if place is not None:
        if args.backrefs and match is not None:
            line = match.expand(line)
        return _replaced(lines, place, line)
    if args.backrefs:  # without a match there is nothing to expand
        return lines, ""
    if any(without_end(present) == line for present in lines):
        return lines, ""
    return _inserted(lines, args, line)


def _selected(lines: "List[str]", args: "Args") -> "Tuple[Optional[int], Any]":
    """The line that regexp or search_string chooses: the last one, or the first with firstmatch."""
    search = _search(args)
    if search is None:
        return None, None
    place, match = None, None
    for number, line in enumerate(lines):
        found = search(line)
        if found:
            place, match = number, found if args.regexp is not None else None
            if args.firstmatch:
                break
    return place, match


def _search(args: "Args") -> "Optional[Callable[[str], Any]]":
    regexp = pattern(args.regexp, "regexp")
    if regexp is not None:
        return regexp.search
    if args.search_string is not None:
        return lambda line: args.search_string in line
    return None


def _replaced(lines: "List[str]", place: "int", line: "str") -> "Tuple[List[str], str]":
    whole = line if line.endswith("\n") else line + "\n"
    if lines[place] == whole:
        return lines, ""
    return lines[:place] + [whole] + lines[place + 1:], "line replaced"


def _inserted(lines: "List[str]", args: "Args", line: "str") -> "Tuple[List[str], str]":
    place = insertion_place(lines, args.insertafter, args.insertbefore, args.firstmatch)
    whole = line if line.endswith("\n") else line + "\n"
    before = ended(lines[:place])
    return before + [whole] + lines[place:], "line added"


def insertion_place(lines: "List[str]", after: "Optional[str]", before: "Optional[str]", first: "bool" = False) -> "int":
    """Where insertafter or insertbefore puts something new: behind everything where they match nothing."""
    if before == "BOF" or after == "BOF":
        return 0
    chosen, offset = (after, 1) if after not in (None, "EOF") else (before, 0)
    if chosen in (None, "EOF"):
        return len(lines)
    regexp = pattern(chosen, "insertafter" if offset else "insertbefore")
    places = [number for number, line in enumerate(lines) if regexp is not None and regexp.search(line)]
    if not places:
        return len(lines)
    return (places[0] if first else places[-1]) + offset


def without_line(lines: "List[str]", args: "Args") -> "Tuple[List[str], int]":
    """The lines without those that regexp, search_string or line itself choose, and how many went."""
    search = _search(args) or (lambda line: without_end(line) == args.line)
    kept = [line for line in lines if not search(line)]
    return kept, len(lines) - len(kept)
