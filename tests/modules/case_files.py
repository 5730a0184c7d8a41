"""Cases as data: reads tests/modules/cases/*.yml and fills in the placeholders."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "cases"
KEYS = {
    "name", "args", "world", "source", "vars", "expect", "then", "watch", "diff", "fails", "partial", "repeat", "again", "check",
    "environment", "cleanup", "needs", "root", "lab",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    module: str
    data: dict[str, Any] = field(compare=False)

    @property
    def id(self) -> str:
        return f"{self.module}: {self.data['name']}"

    def get(self, key: str, default: Any = None) -> Any:
        return self.data.get(key, default)

    def filled(self, places: dict[str, str]) -> Case:
        return Case(self.module, fill(self.data, places))


def fill(value: Any, places: dict[str, str]) -> Any:
    if isinstance(value, str):
        for name, text in places.items():
            value = value.replace(name, text)
        return value
    if isinstance(value, dict):
        return {fill(key, places): fill(item, places) for key, item in value.items()}
    return [fill(item, places) for item in value] if isinstance(value, list) else value


def load_cases() -> list[Case]:
    return [case for path in sorted(FOLDER.glob("*.yml")) for case in load_file(path)]


def load_file(path: Path) -> list[Case]:
    found = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    cases = []
    for data in found:
        unknown = set(data) - KEYS
        assert not unknown, f"{path.name}: {data.get('name')}: unknown keys {sorted(unknown)}"
        assert data.get("name"), f"{path.name}: a case without a name"
        cases.append(Case(path.stem, data))
    names = [case.data["name"] for case in cases]
    assert len(names) == len(set(names)), f"{path.name}: two cases of one name"
    return cases
