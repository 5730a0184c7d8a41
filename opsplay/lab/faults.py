"""Owns the faults that a lab can make on a host: each is switched on, switched off, and recorded while it holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from opsplay.errors import Fault, OpsError, did_you_mean
from opsplay.lab.hosts import LabHost
from opsplay.lab.lab import Lab

Values = Sequence[str]
Options = Mapping[str, str]
Maker = Callable[[Lab, LabHost, Values, Options], str]


def apply_fault(lab: Lab, host: LabHost, kind: str, values: Values, options: Options) -> str:
    if kind not in USAGE:
        raise usage_error(f'there is no fault "{kind}"', did_you_mean(kind, list(USAGE)) or summary())
    makers = makers_of(lab)
    if kind not in makers:
        raise OpsError(
            "lab-fault-needs-root",
            f'the fault "{kind}" cannot be made on a reduced lab: its hosts share this machine',
            remedy="Start the lab as root: sudo opsplay lab up",
            fault=Fault.USAGE,
        )
    said = makers[kind](lab, host, values, options)
    record(host, kind, said)
    return f"{host.name}: {said}"


def makers_of(lab: Lab) -> dict[str, Maker]:
    if lab.kind == "nspawn":
        from opsplay.lab.real_faults import MAKERS as REAL

        return REAL
    from opsplay.lab.reduced_faults import MAKERS as REDUCED

    return REDUCED


USAGE = {
    "partition": "on|off",
    "latency": "40ms|off [--jitter 4ms] [--loss 1%]",
    "sshd": "kill|stop|start",
    "disk-full": "on|off [--path /srv/data]",
    "clock": "+3h|-90m|off",
    "reboot": "",
    "power": "off|on",
}
ENDS = ("off", "start", "none")


def summary() -> str:
    return "\n".join(
        ["The faults:", *(f"  opsplay lab fault HOST {kind} {how}".rstrip() for kind, how in USAGE.items())]
    )


def usage_error(message: str, remedy: str) -> OpsError:
    return OpsError("lab-bad-fault", message, remedy=remedy, fault=Fault.USAGE)


def choice(kind: str, values: Values, *known: str) -> str:
    """The one value of a fault, when it is one of those known."""
    if len(values) == 1 and values[0] in known:
        return values[0]
    remedy = f"opsplay lab fault HOST {kind} {USAGE[kind]}"
    raise usage_error(f'"{kind}" takes one of {", ".join(known)}, not "{" ".join(values)}"', remedy)


def number(kind: str, text: str, units: Mapping[str, float]) -> float:
    """`40ms`, `1%`, `+3h`: a number with one of the units, in the unit that counts 1."""
    unit = max((unit for unit in units if text.endswith(unit)), key=len, default="")
    try:
        return float(text.removesuffix(unit) if unit else text) * (units[unit] if unit else 1)
    except ValueError:
        remedy = f"opsplay lab fault HOST {kind} {USAGE[kind]}"
        raise usage_error(f'"{text}" is no number with one of the units {", ".join(units)}', remedy) from None


def faults_of(host: LabHost) -> dict[str, str]:
    try:
        faults: dict[str, str] = json.loads((host.home / "faults.json").read_text())
    except (OSError, ValueError):
        return {}
    return faults


def record(host: LabHost, kind: str, said: str) -> None:
    """Keep what holds, for `status` and `reset`; what ended is forgotten. `power on` and a reboot hold nothing."""
    faults = faults_of(host)
    faults.pop(kind, None)
    if said and not said.endswith(" ended"):
        faults[kind] = said
    (host.home / "faults.json").write_text(json.dumps(faults))


REPAIRS = (
    ("power", ("on",)),
    ("partition", ("off",)),
    ("latency", ("off",)),
    ("sshd", ("start",)),
    ("disk-full", ("off",)),
    ("clock", ("off",)),
)


def clear_faults(lab: Lab, host: LabHost) -> None:
    """End what holds, power first: the others need a running host."""
    holding = faults_of(host)
    for kind, values in REPAIRS:
        if kind in holding:
            apply_fault(lab, host, kind, values, {})
    lab.wait_ready(host.name)
