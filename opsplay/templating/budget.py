"""Budget: how much time and memory one rendering may take."""

from __future__ import annotations

import time

from opsplay.templating.failures import limit_exceeded

SECONDS = 2.0
TEXT = 16 * 1024 * 1024
OUTPUT = 64 * 1024 * 1024
ITEMS = 2_000_000
CELLS = 500_000
BITS = 1_000_000
WIDTH = 1_000_000


class Budget:
    """Time is this thread's CPU time: waiting for a lookup costs nothing."""

    __slots__ = ("ends", "next_look", "seconds", "spent", "text")

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self.ends = time.thread_time() + seconds
        self.spent = 0
        self.next_look = 5000
        self.text = 0

    def check(self) -> None:
        if time.thread_time() > self.ends:
            raise limit_exceeded(f"it ran longer than {self.seconds:g} s")

    def spend(self, items: int = 1) -> None:
        """Counts items that are copied or walked."""
        self.spent += items + 1
        if self.spent > ITEMS:
            raise limit_exceeded(f"it makes more than {ITEMS} items")
        if self.spent >= self.next_look:
            self.next_look = self.spent + 5000
            self.check()

    def charge(self, text: object) -> None:
        """Counts the text that an expression makes on its way."""
        if type(text) is str and len(text) > 1024:
            self.text += len(text)
            if self.text > OUTPUT:
                raise limit_exceeded(f"it makes more than {OUTPUT} characters of text")

    def forgive(self, seconds: float) -> None:
        """Time that a filter is meant to take (password hashing, vault)."""
        self.ends += seconds


def check_text(length: int) -> None:
    if length > TEXT:
        raise limit_exceeded(f"it makes a text of {length} characters, more than {TEXT}")


def check_items(count: int) -> None:
    if count > ITEMS:
        raise limit_exceeded(f"it makes a list of {count} items, more than {ITEMS}")


def check_width(number: object) -> None:
    """Widths, indents and fill counts: a number that becomes a text of that length."""
    if isinstance(number, int) and number > WIDTH:
        raise limit_exceeded(f"a width of {number} is more than {WIDTH}")


def check_bits(bits: int) -> None:
    if bits > BITS:
        raise limit_exceeded(f"it makes a number of {bits} bits, more than {BITS}")
