"""FailLimit: how many hosts of a whole run may fail or be unreachable before nothing more is begun."""

from __future__ import annotations

from collections.abc import Collection

from opsplay.errors import Fault, OpsError
from opsplay.lazy_dataclass import dataclass

NAMED = 10  # hosts in the reason


@dataclass(frozen=True, slots=True)
class FailLimit:
    """`amount` hosts, or percent of them, are allowed: the limit is exceeded by one more, as with max_fail_percentage."""

    amount: float
    percent: bool

    def __str__(self) -> str:
        return f"{self.amount:g} %" if self.percent else f"{self.amount:g}"

    def exceeded(self, bad: int, hosts: int) -> bool:
        return bad > (self.amount * hosts / 100 if self.percent else self.amount)

    def reason(self, bad: Collection[str], hosts: int) -> str:
        names = ", ".join(sorted(bad)[:NAMED]) + (f" and {len(bad) - NAMED} more" if len(bad) > NAMED else "")
        share = f" ({100 * len(bad) / hosts:.0f} %)" if self.percent else ""
        return f"stopped: {len(bad)} of {hosts} hosts{share} failed or were unreachable, and --max-fail allows {self}: {names}"


def read_limit(text: str | None) -> FailLimit | None:
    """`3` or `10%`; nothing is no limit. Raises OpsError."""
    if text is None or not str(text).strip():
        return None
    number = str(text).strip()
    percent = number.endswith("%")
    try:
        amount = float(number.removesuffix("%"))
    except ValueError:
        amount = -1.0
    if not 0 <= amount < 1e9 or (percent and amount > 100) or (not percent and amount != int(amount)):
        raise OpsError("bad-max-fail", f"--max-fail is a number of hosts or a percentage, not {text!r}", fault=Fault.USAGE,
                       remedy="Write --max-fail 3 or --max-fail 10%.")  # fmt: skip
    return FailLimit(amount, percent)
