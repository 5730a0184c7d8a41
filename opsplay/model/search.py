"""Search: where a task's files, templates and vars are looked for, by Ansible's documented order."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from opsplay.errors import OpsError
from opsplay.model.play import Task


def search_folders(task: Task, playbook_dir: str) -> list[Path]:
    """The role and its parents, the folder of the task's file, the playbook's folder."""
    folders: list[Path] = []
    if task.role is not None:
        folders += [Path(task.role.path), *(Path(parent.path) for parent in reversed(task.role.parents))]
    folders += [Path(task.path).absolute().parent, Path(playbook_dir)]
    return list(dict.fromkeys(folders))


def candidates(task: Task, playbook_dir: str, subdir: str, name: str) -> list[Path]:
    path = Path(name).expanduser()
    if path.is_absolute():
        return [path]
    found: list[Path] = []
    for folder in search_folders(task, playbook_dir):
        if subdir and not name.startswith(f"{subdir}/"):
            found.append(folder / subdir / name)
        found.append(folder / name)
        if folder.name == "tasks" and subdir:  # a tasks file that lies in a role's tasks folder
            found[-1:-1] = [folder.parent / subdir / name]
    return list(dict.fromkeys(found))


def find_file(task: Task, playbook_dir: str, subdir: str, name: str) -> Path:
    """The first that is there. Raises OpsError with every place that was looked at."""
    places = candidates(task, playbook_dir, subdir, name)
    for path in places:
        if path.exists():
            return path
    raise missing_file(task, name, places)


def missing_file(task: Task, name: str, looked: Iterable[Path]) -> OpsError:
    listed = "\n".join(f"\t{path}" for path in looked)
    return OpsError("file-not-found", f"Could not find or access '{name}'\nSearched in:\n{listed} on the Ansible Controller.", task.where,
                    "Put the file in one of these places, or set remote_src: true if it is on the host.")  # fmt: skip
