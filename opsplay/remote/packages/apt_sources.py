"""Lines and files of apt's sources: parsed, compared, set and removed as text."""

import os
import re

LINE = re.compile(r"^(?P<off>#\s*)?(?P<kind>deb(?:-src)?)\s+(?:\[(?P<options>[^]]*)\]\s+)?(?P<uri>\S+)\s+(?P<rest>[^#]+?)"
                  r"\s*(?:#.*)?$")
FOLDER = "/etc/apt/sources.list.d"
MAIN = "/etc/apt/sources.list"


def key(line):
    """What makes two lines the same source, None when the line is none; blanks do not matter."""
    found = LINE.match(line.strip())
    if not found:
        return None
    options = " ".join(sorted((found.group("options") or "").split()))
    return (found.group("kind"), options, found.group("uri").rstrip("/"), " ".join(found.group("rest").split()))


def is_enabled(line):
    found = LINE.match(line.strip())
    return bool(found) and not found.group("off")


def files(system):
    """{path: text} of all one-line source files."""
    paths = [MAIN] + system.glob(FOLDER + "/*.list")
    return {path: system.read_text(path) for path in paths if system.stat(path) is not None}


def suggested_name(line):
    """The file name that Ansible makes of a source: host and path, with other characters as _."""
    found = LINE.match(line.strip())
    uri = re.sub(r"^[a-z+]+://", "", found.group("uri"))
    uri = re.sub(r"^[^/@]*@", "", uri)  # no login in a file name
    parts = [part for part in re.sub(r"\W", " ", uri).split() if part]
    return "_".join(parts) + ".list"


def with_line(texts, line, path):
    """The files after the source is there and enabled; {path: text} of those that change."""
    wanted = key(line)
    for name, text in texts.items():
        lines = text.splitlines()
        for at, old in enumerate(lines):
            if key(old) == wanted:
                if is_enabled(old):
                    return {}
                lines[at] = line
                return {name: "\n".join(lines) + "\n"}
    text = texts.get(path, "")
    return {path: text + ("" if not text or text.endswith("\n") else "\n") + line + "\n"}


def without_line(texts, line):
    """The files after the source is gone; None means that the file is empty now, and goes too."""
    wanted = key(line)
    changed = {}
    for name, text in texts.items():
        kept = [old for old in text.splitlines() if key(old) != wanted or not is_enabled(old)]
        if len(kept) != len(text.splitlines()):
            empty = not any(old.strip() for old in kept) and os.path.dirname(name) == FOLDER
            changed[name] = None if empty else "".join(old + "\n" for old in kept)
    return changed
