"""fstab as text: entries found, set and removed; everything else in the file stays as it is."""

import re

FIELDS = ("src", "path", "fstype", "opts", "dump", "passno")


def escape(text):
    """Blanks and backslashes as octal, the way fstab wants them."""
    return re.sub(r"[ \t\n\\]", lambda found: "\\%03o" % ord(found.group(0)), text)


def unescape(text):
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found.group(1), 8)), text)


def parse(line):
    """The entry as a dict of FIELDS, None of a comment or a broken line."""
    words = line.split()
    if len(words) < 4 or words[0].startswith("#"):
        return None
    entry = {name: unescape(word) for name, word in zip(FIELDS, words)}
    entry.setdefault("dump", "0")
    entry.setdefault("passno", "0")
    return entry


def _matches(entry, wanted):
    """Same mount point; swap has none, so its device decides."""
    if entry is None:
        return False
    if wanted.get("fstype") == "swap" or wanted["path"] in ("none", "-"):
        return entry["path"] in ("none", "-", "swap", wanted["path"]) and entry["src"] == wanted["src"]
    return entry["path"].rstrip("/") == wanted["path"].rstrip("/")


def format_entry(entry):
    return " ".join(escape(str(entry[name])) for name in FIELDS)


def put(text, wanted):
    """The text with one entry of that mount point."""
    lines, found = [], False
    for line in text.splitlines():
        entry = parse(line)
        if not _matches(entry, wanted):
            lines.append(line)
        elif not found:
            found = True
            lines.append(line if entry == wanted else format_entry(wanted))
    if not found:
        lines.append(format_entry(wanted))
    return _joined(text, lines)


def drop(text, wanted):
    return _joined(text, [line for line in text.splitlines() if not _matches(parse(line), wanted)])


def find(text, path):
    for line in text.splitlines():
        entry = parse(line)
        if entry is not None and entry["path"].rstrip("/") == path.rstrip("/"):
            return entry
    return None


def _joined(text, lines):
    if lines == text.splitlines():
        return text
    return "\n".join(lines) + "\n" if lines else ""
