"""OpsError: what went wrong, where, whose fault it is and what to type next."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from opsplay.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a source text. `line` and `column` count from 1; 0 means unknown."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.path
        return f"{self.path}:{self.line}:{self.column}" if self.column else f"{self.path}:{self.line}"


class Fault(StrEnum):
    """Who has to act: the author of the content, the host, the operator at the keyboard, or opsplay itself."""

    CONTENT = "content"
    HOST = "host"
    USAGE = "usage"
    OPSPLAY = "opsplay"


EXIT_CODES = {Fault.CONTENT: 1, Fault.USAGE: 1, Fault.HOST: 2, Fault.OPSPLAY: 3}


class OpsError(Exception):
    """An error a user meets. `code` is kebab-case and stable; `remedy` names the next step or command."""

    def __init__(
        self,
        code: str,
        message: str,
        where: Where | None = None,
        remedy: str = "",
        *,
        fault: Fault = Fault.CONTENT,
        width: int = 1,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.where = where
        self.remedy = remedy
        self.fault = fault
        self.width = width

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message

    def render(self) -> str:
        """The whole error as a user reads it: code, source line with a caret, message, remedy."""
        return "\n".join(part for part in (f"error: {self.code}\n", self._place(), self._remedy()) if part)

    def _place(self) -> str:
        if self.where is None:
            return f"  {self.message}\n"
        line = source_line(self.where)
        if line is None or not self.where.column:
            return f"  {self.where}\n    {self.message}\n"
        number = str(self.where.line).rjust(7)
        caret = " " * (self.where.column - 1) + "^" * max(1, self.width)
        return f"  {self.where}\n{number} | {line}\n{' ' * 7} | {caret} {self.message}\n"

    def _remedy(self) -> str:
        return "\n".join(f"  {line}" for line in self.remedy.splitlines())


class OpsErrors(OpsError):
    """Several errors found in one go, before the first host was touched."""

    def __init__(self, errors: list[OpsError]) -> None:
        super().__init__(errors[0].code, errors[0].message, errors[0].where, errors[0].remedy, fault=errors[0].fault)
        self.errors = errors

    def render(self) -> str:
        return "\n".join(error.render() for error in self.errors) + f"\n  {len(self.errors)} errors\n"


def source_line(where: Where, longest: int = 160) -> str | None:
    """The text of the line that `where` points at, or None where it cannot be shown whole."""
    if not where.line:
        return None
    try:
        lines = Path(where.path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    if where.line > len(lines):
        return None
    line = lines[where.line - 1].replace("\t", " ")
    printable = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)
    return printable if len(printable) <= longest else None


def did_you_mean(word: str, known: list[str] | set[str] | tuple[str, ...]) -> str:
    """`Did you mean "x"?` for the closest known word, or the empty string."""
    from difflib import get_close_matches

    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f'Did you mean "{close[0]}"?' if close else ""
