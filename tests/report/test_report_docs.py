"""docs/reference/summary.md and docs/how-to tell what the code does."""

import re
from pathlib import Path
from typing import Any

import yaml

from opsplay.report.run_stats import KNOWN
from opsplay.report.summary_json import SCHEMA_VERSION, schema
from opsplay.report.write import RENDERERS

DOCS = Path(__file__).parents[2] / "docs"


def names(part: Any) -> set[str]:
    """Every property that the schema names."""
    if isinstance(part, dict):
        own = set(part["properties"]) if isinstance(part.get("properties"), dict) else set()
        return own.union(*(names(value) for value in part.values()))
    return set().union(*(names(value) for value in part)) if isinstance(part, list) else set()


def test_every_key_of_the_schema_is_in_the_page() -> None:
    page = (DOCS / "reference/summary.md").read_text()
    told = set(re.findall(r"`([a-z_]+)`", page))
    found = names(schema())
    assert len(found) > 60
    assert found - told == set()
    assert set(KNOWN) - told == set()
    assert f"`schema_version` is {SCHEMA_VERSION}" in page


def test_every_report_format_is_in_the_page() -> None:
    page = (DOCS / "how-to/read-the-summary.md").read_text()
    assert set(re.findall(r"^\| `(\.\w+)` \|", page, re.MULTILINE)) == set(RENDERERS)


def test_links_between_the_pages_lead_somewhere() -> None:
    pages = [
        "reference/summary.md",
        "reference/exit-codes.md",
        "how-to/read-the-summary.md",
        "how-to/verify-in-ci.md",
        "explanation/history.md",
    ]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#:]+)[)#]", (DOCS / page).read_text())]
    assert len(links) > 5
    assert [(page, link) for page, link in links if not (DOCS / page).parent.joinpath(link).exists()] == []


def test_examples_parse() -> None:
    for path in DOCS.joinpath("examples").glob("verify-*.yml"):
        text = path.read_text()
        assert "opsplay verify" in text
        assert isinstance(yaml.safe_load(text), dict)
    compile(DOCS.joinpath("examples/test_web.py").read_text(), "test_web.py", "exec")
    for block in re.findall(r"```yaml\n(.*?)```", (DOCS / "how-to/read-the-summary.md").read_text(), re.DOTALL):
        assert isinstance(yaml.safe_load(block), list)
