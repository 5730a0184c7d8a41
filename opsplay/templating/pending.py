"""NotYetKnown: a value that depends on a result that has not arrived yet."""

from __future__ import annotations


class NotYetKnown(BaseException):
    """Raised by a scope; leaves templating unchanged.

    No error, but the answer "ask later": a BaseException, so that no filter's `except Exception` eats it.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name
