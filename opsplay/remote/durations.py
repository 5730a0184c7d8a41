"""Durations and sizes as people write them: 90s, 15m, 2h, 1d, 4w; 10k, 5M, 2g. Travels to hosts: Python 3.6 syntax."""

import re

from opsplay.remote.spec import ModuleFailure

SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
BYTES = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def seconds(text, argument):
    """"1d" -> 86400.0; a negative one stays negative; None stays None."""
    return _number(text, argument, r"(-?[0-9]*\.?[0-9]+)\s*([smhdw]?)[a-z]*", SECONDS, "a duration such as 90s, 2h, 1d or 4w")


def size(text, argument):
    """"10M" -> 10485760, as Ansible's find counts; None stays None."""
    number = _number(text, argument, r"(-?[0-9]*\.?[0-9]+)\s*([bkmgt]?)(?:i?b)?", BYTES, "a size such as 500k, 10M or 2g")
    return None if number is None else int(number)


def _number(text, argument, form, units, wanted):
    if text is None or text == "":
        return None
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        return float(text)
    found = re.match("^" + form + "$", str(text).strip().lower())
    if not found:
        raise ModuleFailure("%s: %r is not %s" % (argument, text, wanted))
    return float(found.group(1)) * units[found.group(2)]


def spoken(count):
    """Seconds for a sentence: 93784 -> "26 h"."""
    count = abs(float(count))
    for name, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if count >= 2 * length:
            return "%d %s" % (count // length, name)
    return "%.1f s" % count if count < 10 else "%d s" % count


def spoken_size(count):
    """Bytes for a sentence: 10485760 -> "10.0 MiB"."""
    number = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(number) < 1024 or unit == "GiB":
            break
        number /= 1024
    return "%d B" % number if unit == "B" else "%.1f %s" % (number, unit)
