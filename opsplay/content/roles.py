"""Roles as content: install from a folder or archive, list, remove, and the skeleton of a new one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from opsplay.content.requirements import Requirement
from opsplay.content.unpacking import place, unpacked
from opsplay.errors import Fault, OpsError

SKELETON = {
    "README.md": "# {name}\n\nWhat this role does.\n\n## Variables\n\nSee `meta/argument_specs.yml`.\n",
    "defaults/main.yml": "---\n# defaults file for {name}\n",
    "files/.gitkeep": "",
    "handlers/main.yml": "---\n# handlers file for {name}\n",
    "meta/main.yml": "---\ngalaxy_info:\n  author: your name\n  description: your role description\n  license: Apache-2.0\n"
    "  min_ansible_version: '2.15'\n  galaxy_tags: []\ndependencies: []\n",
    "meta/argument_specs.yml": "---\nargument_specs:\n  main:\n    short_description: What this role does.\n    options: {{}}\n",
    "tasks/main.yml": "---\n# tasks file for {name}\n",
    "templates/.gitkeep": "",
    "tests/inventory": "localhost\n\n",
    "tests/test.yml": "---\n- hosts: localhost\n  remote_user: root\n  roles:\n    - {name}\n",
    "vars/main.yml": "---\n# vars file for {name}\n",
}


def install(requirement: Requirement, folder: Path, force: bool) -> str:
    """What was done, in Ansible's words. Raises OpsError for what is no role."""
    name = requirement.name or name_of(requirement.source)
    target = folder / name
    if target.exists() and not force:
        return f"- {name} is already installed, skipping."
    with unpacked(requirement.source) as outer:
        content = outer if requirement.source.is_dir() else role_folder(outer)
        if not is_role(content):
            raise OpsError("not-a-role", f"{requirement.source} holds no role: there is neither meta/main.yml nor tasks/", fault=Fault.USAGE,
                           remedy="Give the folder of the role, or an archive of it.")  # fmt: skip
        place(content, target)
    return f"- extracting {name} to {target}\n- {name} was installed successfully"


def is_role(folder: Path) -> bool:
    return any((folder / "meta" / f"main{end}").is_file() for end in (".yml", ".yaml")) or (folder / "tasks").is_dir()


def role_folder(outer: Path) -> Path:
    """Where the role is in an unpacked archive, which may hold the folders that it was in, too."""
    inner = outer
    while not is_role(inner):
        inside = [path for path in inner.iterdir() if path.is_dir() and not path.is_symlink()]
        if len(inside) != 1:
            return outer
        inner = inside[0]
    return inner


def name_of(source: Path) -> str:
    name = source.name
    for end in (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar"):
        name = name.removesuffix(end)
    return name


def installed(folders: list[Path]) -> Iterator[tuple[Path, list[str]]]:
    """Each folder that is there, and the roles in it."""
    for folder in folders:
        if folder.is_dir():
            yield folder, sorted(path.name for path in folder.iterdir() if (path / "tasks").is_dir() or (path / "meta").is_dir())


def remove(name: str, folders: list[Path]) -> str:
    for folder in folders:
        if (folder / name).is_dir() and "/" not in name and name not in ("", ".", ".."):
            shutil.rmtree(folder / name)
            return f"- successfully removed {name}"
    return f"- {name} is not installed, skipping."


def create(name: str, folder: Path, force: bool) -> str:
    """A new role with the folders that Ansible documents. Raises OpsError where something is in the way."""
    target = folder / name
    if target.exists() and not force:
        raise OpsError("already-there", f"the directory {target} already exists.", fault=Fault.USAGE,
                       remedy="You can use --force to re-initialize this directory, however it will reset any main.yml files that may have been modified there already.")  # fmt: skip
    for path, text in SKELETON.items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_text(text.format(name=target.name), encoding="utf-8")
    return f"- Role {name} was created successfully"
