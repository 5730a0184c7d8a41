"""The index in docs/reference/modules: every module and action with what it does; the rest is `opsplay doc NAME`."""

from __future__ import annotations

from pathlib import Path

from opsplay.reference.collections import full_name
from opsplay.reference.verbs import own_verbs


def index() -> str:
    lines = ["# Modules", "", "Made from each module's SPEC; do not edit. Arguments, examples and results: `opsplay doc NAME`.", "",
             "| module | full name | where it runs | check mode | does |", "|---|---|---|---|---|"]  # fmt: skip
    for verb in own_verbs():
        place = "controller" if verb.kind == "action" else "host"
        check = verb.spec.check if verb.spec else ""
        lines.append(f"| `{verb.name}` | {full_name(verb.name)} | {place} | {check} | {verb.summary.replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"


def write(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(index(), encoding="utf-8")
    return 0
