"""Owns finding Debian 12 package sources in the machine's own apt configuration; no mirror is named here."""

from __future__ import annotations

import os
from pathlib import Path

from opsplay.errors import Fault, OpsError

RELEASE = "bookworm"
SUITES = (RELEASE, f"{RELEASE}-updates", f"{RELEASE}-security")


def debian_sources(root: Path = Path("/etc/apt")) -> list[str]:
    """One-line entries of `main` of Debian 12, from OPSPLAY_LAB_SOURCES (a file) or from the machine's own."""
    given = os.environ.get("OPSPLAY_LAB_SOURCES")
    files = [Path(given)] if given else source_files(root)
    entries = [entry for file in files for entry in entries_of(file)]
    if not any(entry.split()[-2] == RELEASE for entry in entries):
        raise OpsError(
            "lab-no-debian-source",
            f"no apt source of this machine offers Debian 12 ({RELEASE} main), which the lab's hosts run",
            remedy="Put a line `deb <mirror> bookworm main` into a file and name it: export OPSPLAY_LAB_SOURCES=<file>",
            fault=Fault.USAGE,
        )
    return list(dict.fromkeys(entries))


def source_files(root: Path) -> list[Path]:
    parts = sorted((root / "sources.list.d").glob("*")) if (root / "sources.list.d").is_dir() else []
    single = [root / "sources.list"] if (root / "sources.list").is_file() else []
    return single + [part for part in parts if part.suffix in (".list", ".sources")]


def entries_of(file: Path) -> list[str]:
    text = file.read_text(encoding="utf-8", errors="replace")
    return from_stanzas(text) if file.suffix == ".sources" else from_lines(text)


def from_lines(text: str) -> list[str]:
    """`deb [options] URI suite components...` lines that hold our release's main."""
    entries = []
    for line in text.splitlines():
        words, options = split_options(line.split("#", 1)[0].strip())
        if len(words) >= 4 and words[0] == "deb" and words[2] in SUITES and "main" in words[3:]:
            entries.append(entry(options.get("signed-by", ""), words[1], words[2]))
    return entries


def split_options(line: str) -> tuple[list[str], dict[str, str]]:
    before, bracket, rest = line.partition("[")
    if not bracket:
        return line.split(), {}
    inside, _, after = rest.partition("]")
    pairs = (word.partition("=") for word in inside.split())
    return before.split() + after.split(), {key.lower(): value for key, _, value in pairs}


def from_stanzas(text: str) -> list[str]:
    """deb822 stanzas, in the parts that matter: Enabled, Types, URIs, Suites, Components, Signed-By as a path."""
    entries = []
    for fields in map(stanza_fields, text.split("\n\n")):
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() == "no":
            continue
        if "main" not in fields.get("components", "").split():
            continue
        signed = fields.get("signed-by", "")
        uris, suites = fields.get("uris", "").split(), fields.get("suites", "").split()
        signed = signed if signed.startswith("/") else ""
        entries += [entry(signed, uri, suite) for uri in uris for suite in suites if suite in SUITES]
    return entries


def stanza_fields(stanza: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    last = ""
    for line in stanza.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if line[0] in " \t":
            fields[last] = f"{fields.get(last, '')} {line.strip()}"
            continue
        key, _, value = line.partition(":")
        last = key.strip().lower()
        fields[last] = value.strip()
    return fields


def entry(signed_by: str, uri: str, suite: str) -> str:
    options = f"[signed-by={signed_by}] " if signed_by else ""
    return f"deb {options}{uri} {suite} main"
