"""Writing to a terminal, a pipe or nothing: never a traceback because the reader went away or knows no UTF-8."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TextIO


class Output:
    """A text stream that falls silent when it is closed. `unicode`: may carry more than ASCII."""

    def __init__(self, stream: TextIO | None, environ: Mapping[str, str] | None = None) -> None:
        self.stream = stream
        self.broken = stream is None
        self.environ = os.environ if environ is None else environ
        self.unicode = speaks_unicode(stream, self.environ)

    def write(self, text: str) -> None:
        if self.broken or self.stream is None:
            return
        try:
            self._write(text)
            self.stream.flush()
        except (BrokenPipeError, ValueError):  # ValueError: the file object was closed
            self.fall_silent()
        except OSError:
            self.fall_silent()

    def _write(self, text: str) -> None:
        assert self.stream is not None
        if not self.unicode and not text.isascii():
            text = text.translate(_ASCII)
        try:
            self.stream.write(text)
        except UnicodeEncodeError:
            encoding = self.stream.encoding or "ascii"
            self.stream.write(text.encode(encoding, "backslashreplace").decode(encoding))

    def fall_silent(self) -> None:
        """From now on nothing is written; the descriptor leads nowhere, so that the flush at exit fails neither."""
        self.broken = True
        try:
            target = self.stream.fileno() if self.stream else -1
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, target)
            os.close(null)
        except (OSError, ValueError):
            return

    def is_terminal(self) -> bool:
        """A terminal that can move its cursor."""
        if self.broken or self.stream is None or self.environ.get("TERM", "") in ("", "dumb"):
            return False
        try:
            return self.stream.isatty()
        except ValueError:
            return False

    @property
    def colour(self) -> bool:
        return self.is_terminal() and not self.environ.get("NO_COLOR")

    @property
    def width(self) -> int:
        """Columns of the terminal; 100 where there is none."""
        columns = self.environ.get("COLUMNS", "")
        if columns.isdigit() and int(columns) > 0:
            return int(columns)
        try:
            return os.get_terminal_size(self.stream.fileno()).columns or 100 if self.stream else 100
        except (OSError, ValueError):
            return 100


def speaks_unicode(stream: TextIO | None, environ: Mapping[str, str]) -> bool:
    """The stream encodes UTF-8 and the locale says that somebody can read it."""
    encoding = (getattr(stream, "encoding", None) or "").lower().replace("-", "")
    ctype = environ.get("LC_CTYPE", "")
    coerced = ctype in ("C.UTF-8", "C.utf8", "UTF-8")  # Python itself sets this in the C locale; the terminal did not
    locale = environ.get("LC_ALL") or ("" if coerced else ctype) or environ.get("LANG") or ""
    return encoding == "utf8" and "utf" in locale.lower()


_ASCII = str.maketrans({"─": "-", "│": "|", "·": "-", "→": "->", "…": "...", "✓": "+", "✗": "x", "●": "*", "▲": "!", "—": "-",
                        "\N{REPLACEMENT CHARACTER}": "?", "≥": ">=", "≤": "<="})  # fmt: skip
