"""What the lab's pages tell a user to type is something that the command takes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from opsplay.cli.lab import lab
from opsplay.lab.faults import USAGE

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("how-to/rehearse-on-a-lab.md", "explanation/lab.md")


def typed() -> list[str]:
    lines = [line for page in PAGES for line in (DOCS / page).read_text().splitlines()]
    return [line for line in lines if re.match(r"(sudo )?opsplay lab ", line)]


def test_the_pages_show_commands() -> None:
    assert len(typed()) > 20


@pytest.mark.parametrize("line", typed())
def test_a_shown_command_is_accepted(line: str) -> None:
    words = shlex.split(line.removeprefix("sudo "))[2:]
    command = lab.commands[words[0]]
    context = command.make_context(words[0], words[1:])
    assert isinstance(context, click.Context)
    if words[0] == "fault":
        assert context.params["kind"] in {*USAGE, "clear"}


def test_every_fault_is_on_the_page() -> None:
    page = (DOCS / PAGES[0]).read_text()
    for kind in USAGE:
        assert f"opsplay lab fault web1 {kind}" in page or f" {kind} " in page
