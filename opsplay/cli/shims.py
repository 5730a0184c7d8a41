"""opsplay shims: writes ansible-playbook and its siblings as thin programs, to be put first in PATH."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import click

PROGRAMS = ("ansible", "ansible-playbook", "ansible-inventory", "ansible-vault", "ansible-doc", "ansible-config", "ansible-galaxy", "ansible-pull", "ansible-console")


@click.command("shims")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def shims(folder: Path) -> int:
    """Write ansible-playbook and its siblings into FOLDER; they run opsplay with Ansible's flags, output and exit codes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in PROGRAMS:
        write_program(folder / name, name)
    click.echo(f'wrote {", ".join(PROGRAMS)}\n\nPut them first: export PATH={shlex.quote(str(folder.absolute()))}:"$PATH"')
    return 0


def write_program(path: Path, name: str) -> None:
    text = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m opsplay.cli.entry {name} "$@"\n'
    path.write_text(text)
    os.chmod(path, 0o755)
