"""The tables of filters, tests and lookups say what the folders hold, and the reference pages say it, too."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest

from opsplay.templating import filters, lookups, reference, tests

PACKAGES = {"filters": filters, "tests": tests, "lookups": lookups}
DOCS = Path(__file__).parents[2] / "docs" / "reference"
NO_TABLE = {"__init__", "call"}

DOCUMENTED_FILTERS = [
    "b64decode",
    "b64encode",
    "basename",
    "bool",
    "checksum",
    "combinations",
    "combine",
    "comment",
    "commonpath",
    "dict2items",
    "difference",
    "dirname",
    "expanduser",
    "expandvars",
    "extract",
    "fileglob",
    "flatten",
    "from_json",
    "from_yaml",
    "from_yaml_all",
    "hash",
    "human_readable",
    "human_to_bytes",
    "intersect",
    "items2dict",
    "log",
    "mandatory",
    "md5",
    "normpath",
    "password_hash",
    "path_join",
    "permutations",
    "pow",
    "product",
    "quote",
    "random",
    "realpath",
    "regex_escape",
    "regex_findall",
    "regex_replace",
    "regex_search",
    "rekey_on_member",
    "relpath",
    "root",
    "sha1",
    "shuffle",
    "split",
    "splitext",
    "strftime",
    "subelements",
    "symmetric_difference",
    "ternary",
    "to_datetime",
    "to_json",
    "to_nice_json",
    "to_nice_yaml",
    "to_uuid",
    "to_yaml",
    "type_debug",
    "union",
    "unique",
    "unvault",
    "urldecode",
    "urlsplit",
    "vault",
    "win_basename",
    "win_dirname",
    "win_splitdrive",
    "zip",
    "zip_longest",
]
DOCUMENTED_TESTS = [
    "abs",
    "all",
    "any",
    "change",
    "changed",
    "contains",
    "directory",
    "exists",
    "failed",
    "failure",
    "falsy",
    "file",
    "finished",
    "is_abs",
    "is_dir",
    "is_file",
    "is_link",
    "is_mount",
    "is_same_file",
    "isnan",
    "issubset",
    "issuperset",
    "link",
    "link_exists",
    "match",
    "mount",
    "nan",
    "reachable",
    "regex",
    "same_file",
    "search",
    "skip",
    "skipped",
    "started",
    "subset",
    "succeeded",
    "success",
    "successful",
    "superset",
    "timedout",
    "truthy",
    "unreachable",
    "uri",
    "url",
    "urn",
    "vault_encrypted",
    "vaulted_file",
    "version",
    "version_compare",
]
DOCUMENTED_LOOKUPS = [
    "config",
    "csvfile",
    "dict",
    "env",
    "file",
    "fileglob",
    "first_found",
    "indexed_items",
    "ini",
    "inventory_hostnames",
    "items",
    "lines",
    "list",
    "nested",
    "password",
    "pipe",
    "random_choice",
    "sequence",
    "subelements",
    "template",
    "together",
    "unvault",
    "url",
    "varnames",
    "vars",
]


@pytest.mark.parametrize("kind", PACKAGES)
def test_the_table_is_the_folder(kind: str) -> None:
    package: Any = PACKAGES[kind]
    folder = Path(package.__file__).parent
    assert {path.stem for path in folder.glob("*.py")} - NO_TABLE == set(package.FILES)
    for file, (_, names) in package.FILES.items():
        module = importlib.import_module(f"{package.__name__}.{file}")
        assert list(names) == sorted(names)
        assert set(getattr(module, kind.upper())) == set(names), file


@pytest.mark.parametrize("kind", PACKAGES)
def test_everything_has_a_summary(kind: str) -> None:
    entries = list(reference.functions_of(kind))
    assert len(entries) > 30
    assert [name for _, name, function in entries if not (inspect.getdoc(function) or "").strip()] == []


@pytest.mark.parametrize(
    ("kind", "documented"),
    [("filters", DOCUMENTED_FILTERS), ("tests", DOCUMENTED_TESTS), ("lookups", DOCUMENTED_LOOKUPS)],
)
def test_all_that_ansible_builtin_documents_is_there(kind: str, documented: list[str]) -> None:
    known = {name for collection, name, _ in reference.functions_of(kind) if collection == "ansible.builtin"}
    assert set(documented) - known == set()


@pytest.mark.parametrize("kind", PACKAGES)
def test_the_reference_page_is_current(kind: str) -> None:
    """Make it again with: python -m opsplay.templating.reference docs/reference"""
    assert (DOCS / f"{kind}.md").read_text() == reference.page(kind)
