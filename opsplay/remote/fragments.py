"""How assemble chooses fragments and joins them; the same on the controller and on the host."""

import codecs

from opsplay.remote.spec import ModuleFailure
from opsplay.remote.text_lines import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional


def chosen(names: "List[str]", regexp: "Optional[str]", ignore_hidden: "bool") -> "List[str]":
    wanted = pattern(regexp, "regexp")
    return [name for name in sorted(names)
            if (wanted is None or wanted.search(name)) and not (ignore_hidden and name.startswith("."))]


def assembled(fragments: "List[bytes]", delimiter: "Optional[str]") -> "bytes":
    """Fragments never run together on a line, and neither do a delimiter and what follows."""
    between = _unescaped(delimiter) if delimiter else b""
    if between and not between.endswith(b"\n"):
        between += b"\n"
    whole: "List[bytes]" = []
    for number, fragment in enumerate(fragments):
        if number:
            whole.append((b"" if not fragments[number - 1] or fragments[number - 1].endswith(b"\n") else b"\n") + between)
        whole.append(fragment)
    return b"".join(whole)


def _unescaped(delimiter: "str") -> "bytes":
    try:
        return codecs.escape_decode(delimiter.encode("utf-8", "surrogateescape"))[0]
    except ValueError as error:
        raise ModuleFailure("delimiter cannot be read: %s" % error)
