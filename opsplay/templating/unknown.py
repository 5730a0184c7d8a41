"""Unknown: a value that check mode cannot know; what reads it is not known either."""

from __future__ import annotations

from typing import NoReturn

from opsplay.errors import OpsError


class UnknownValue(OpsError):
    """Something read what check mode cannot know. No mistake: what it was read for is unknown, too."""

    def __init__(self, what: str) -> None:
        super().__init__("unknown-in-check-mode", f"it depends on {what}, which check mode cannot know", None,
                         "A task that only reads may run in check mode, too: check_mode: false.")  # fmt: skip


class Unknown:
    """Stands in a variable for what a task would have given. `what` names it."""

    __slots__ = ("what",)

    def __init__(self, what: str) -> None:
        self.what = what

    def __repr__(self) -> str:
        return f"<unknown: {self.what}>"

    def refuse(self, *_: object) -> NoReturn:
        raise UnknownValue(self.what)

    __bool__ = __str__ = __len__ = __iter__ = __eq__ = __hash__ = __getitem__ = __contains__ = __int__ = refuse
