"""Every option and returned key that ansible-core documents of a module is in our SPEC, of the same type, default and choices."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from opsplay.model.catalog import Verb
from opsplay.reference.verbs import own_verbs
from opsplay.remote.spec import Spec
from tests.conformance.differing import differences
from tests.conformance.documented import documents

HERE = Path(__file__).parent


def meant() -> dict[str, str]:
    """Differences that are meant, and why."""
    lines = (HERE / "differences.txt").read_text().splitlines()
    return {line.partition(": ")[0]: line.partition(": ")[2] for line in lines if line and not line.startswith("#")}


@pytest.fixture(scope="module")
def found(checkout: Path) -> set[str]:
    verbs: dict[str, Verb] = {verb.name: verb for verb in own_verbs()}
    described = documents(checkout)
    assert len(described) > 60
    lines: set[str] = set()
    for document in described:
        spec = verbs[document.name].spec if document.name in verbs else None
        lines |= set(differences(document, spec)) if isinstance(spec, Spec) else {f"{document.name} is not there"}
    return lines


def test_what_is_documented_is_there(found: set[str]) -> None:
    assert sorted(line for line in found if not any(fnmatchcase(line, pattern) for pattern in meant())) == []


def test_the_list_of_differences_is_as_short_as_it_can_be(found: set[str]) -> None:
    assert [pattern for pattern in meant() if not any(fnmatchcase(line, pattern) for line in found)] == []
    assert all(meant().values())
