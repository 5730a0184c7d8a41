"""Which lines an INI file has once an option, its values or a section are ensured or removed: ini_file's rules."""

import re

from opsplay.remote.text_lines import ended, without_end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Optional, Tuple

    from opsplay.remote.spec import Args

SECTION = re.compile(r"^\s*\[(.*)\]\s*$")


class IniEdit(object):
    """The lines of one file; `message` says what was done, "OK" for nothing."""

    def __init__(self, lines: "List[str]", args: "Args") -> "None":
        self.lines = ended(list(lines))
        self.args = args
        self.message = "OK"
        self.values = list(args["values"] or []) if args["value"] is None else [args["value"]]

    def ensure(self) -> "None":
        span = self._section()
        if span is None:
            self._add_section()
        elif self.args.option:
            self._ensure_option(span)

    def remove(self) -> "None":
        span = self._section()
        if span is None:
            return
        if self.args.option:
            self._remove_option(span)
        elif self.args.section:
            first = span[0] - 1
            del self.lines[first:span[1]]
            self.message = "section removed"

    def _section(self) -> "Optional[Tuple[int, int]]":
        """Where its options stand, first and past the last line. Options before any section belong to none."""
        starts = [(number, _section_name(line)) for number, line in enumerate(self.lines) if _section_name(line) is not None]
        if not self.args.section:
            return 0, starts[0][0] if starts else len(self.lines)
        for index, (number, name) in enumerate(starts):
            end = starts[index + 1][0] if index + 1 < len(starts) else len(self.lines)
            if name == self.args.section and self._has_values(number + 1, end):
                return number + 1, end
        return None

    def _has_values(self, start: "int", end: "int") -> "bool":
        """With section_has_values, only the section that also holds these options is meant."""
        for wanted in self.args.section_has_values or ():
            values = wanted.get("values") or ([wanted["value"]] if wanted.get("value") is not None else [])
            present = [self._value(line) for line in self.lines[start:end] if self._names(line, wanted["option"])]
            if not present or any(str(value) not in [str(item) for item in present] for value in values):
                return False
        return True

    def _add_section(self) -> "None":
        if not self.args.create and not self.lines:
            return
        new = ["[%s]\n" % self.args.section]
        for wanted in self.args.section_has_values or ():
            values = wanted.get("values") or [wanted.get("value")]
            new.extend(self._line(wanted["option"], value) for value in values)
        if self.args.option:
            new.extend(self._line(self.args.option, value) for value in self.values or [None])
        self.lines = self.lines + new
        self.message = "section and option added" if self.args.option else "only section added"

    def _ensure_option(self, span: "Tuple[int, int]") -> "None":
        start, end = span
        wanted = [self._line(self.args.option, value) for value in self.values or [None]]
        active = [number for number in range(start, end) if self._names(self.lines[number], self.args.option)]
        inactive = [number for number in range(start, end)
                    if self.args.modify_inactive_option and self._commented(self.lines[number])]
        if self.args.exclusive:
            self._exactly(wanted, active, inactive, end)
        else:
            self._at_least(wanted, active, inactive, end)

    def _exactly(self, wanted: "List[str]", active: "List[int]", inactive: "List[int]", end: "int") -> "None":
        """The option has these values and no others; lines that are right already keep their place."""
        missing = [line for line in wanted if not any(self._same(self.lines[number], line) for number in active)]
        kept: "List[str]" = []
        surplus = []
        for number in active:
            match = [line for line in wanted if self._same(self.lines[number], line) and line not in kept]
            if match:
                kept.append(match[0])
            else:
                surplus.append(number)
        free = surplus + ([] if active else inactive)
        changed, added = self._place(missing, free, end)
        for number in sorted(surplus[changed:], reverse=True):
            del self.lines[number]
        if changed or surplus:
            self.message = "option changed"
        elif added:
            self.message = "option added"

    def _at_least(self, wanted: "List[str]", active: "List[int]", inactive: "List[int]", end: "int") -> "None":
        missing = [line for line in wanted if not any(self._same(self.lines[number], line) for number in active)]
        changed, added = self._place(missing, [] if active else inactive, end)
        if changed or added:
            self.message = "option added" if added else "option changed"

    def _place(self, missing: "List[str]", free: "List[int]", end: "int") -> "Tuple[int, int]":
        """Write the missing lines over the free ones, then behind the section's last line that is not blank."""
        for number, line in zip(free, missing):
            self.lines[number] = line
        rest = missing[len(free):]
        while end > 0 and not self.lines[end - 1].strip():
            end -= 1
        self.lines[end:end] = rest
        return len(missing) - len(rest), len(rest)

    def _remove_option(self, span: "Tuple[int, int]") -> "None":
        """All its lines, or with exclusive=false only those with the given values."""
        only = None if self.args.exclusive or not self.values else [str(value) for value in self.values]
        kept = [line for line in self.lines[span[0]:span[1]]
                if not self._names(line, self.args.option) or (only is not None and self._value(line) not in only)]
        if len(kept) != span[1] - span[0]:
            self.lines[span[0]:span[1]] = kept
            self.message = "option removed"

    def _same(self, present: "str", wanted: "str") -> "bool":
        if self.args.ignore_spaces:
            return self._value(present) == self._value(wanted)
        return without_end(present) == without_end(wanted)

    def _line(self, option: "str", value: "Any") -> "str":
        if value is None:
            return option + "\n"
        equals = "=" if self.args.no_extra_spaces else " = "
        return "%s%s%s\n" % (option, equals, value)

    def _names(self, line: "str", option: "str") -> "bool":
        name, equals, _ = line.partition("=")
        return name.strip() == option and bool(equals or self.args.allow_no_value)

    def _commented(self, line: "str") -> "bool":
        text = line.lstrip()
        return text[:1] in ("#", ";") and self._names(text.lstrip("#; \t"), self.args.option)

    @staticmethod
    def _value(line: "str") -> "Optional[str]":
        _, equals, value = line.partition("=")
        return value.strip() if equals else None


def _section_name(line: "str") -> "Optional[str]":
    match = SECTION.match(without_end(line))
    return match.group(1).strip() if match else None
