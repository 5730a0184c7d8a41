"""Inventory plugins of others: Ansible's own ansible-inventory, where it is installed, runs them and prints what they found."""

from __future__ import annotations

import os
from pathlib import Path

from opsplay.errors import Where
from opsplay.inventory.builder import InventoryBuilder

PROGRAM = "ansible-inventory"
OURS = b"opsplay"  # stands in the first lines of the drop-ins


def ansible_inventory() -> str | None:
    """The first ansible-inventory in PATH that is not ours."""
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = Path(folder or ".", PROGRAM)
        if path.is_file() and os.access(path, os.X_OK) and OURS not in _beginning(path):
            return str(path.absolute())
    return None


def _beginning(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(400)
    except OSError:
        return OURS


def read_by_ansible(program: str, path: str, name: str, builder: InventoryBuilder) -> None:
    """Adds what the plugin found. Raises OpsError with what the program said where it failed."""
    from opsplay.inventory.script import answer_of, read_answer, run_program

    printed = run_program(program, ["-i", path, "--list", "--export"], builder)
    read_answer(answer_of(printed, path), f"inventory plugin {name}", Where(path), builder)
