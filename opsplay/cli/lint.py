"""opsplay lint: everything that is wrong in playbooks and roles, all of it at once, before any host is asked."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opsplay.cli.completing import FILE
from opsplay.cli.run_options import inventory_options, variable_options
from opsplay.errors import OpsError, OpsErrors

if TYPE_CHECKING:
    from opsplay.engine.run import Run
    from opsplay.model.play import Playbook
    from opsplay.plan.findings import Names

WARNINGS = frozenset({"deprecated-form", "mode-without-zero"})


@click.command("lint", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("paths", nargs=-1, type=FILE)
@inventory_options
@variable_options
@click.option("-j", "--json", "as_json", is_flag=True, help="As JSON, one object a finding.")
@click.option("--strict", is_flag=True, help="Exit 1 for deprecated forms, too.")
def lint(paths: tuple[str, ...], as_json: bool, strict: bool, **flags: Any) -> int:
    """Check playbooks, roles and folders of them [default: this folder]."""
    found: list[OpsError] = []
    targets = [target for path in paths or (".",) for target in expand(Path(path))]
    if not targets:
        raise OpsError("nothing-to-check", f"there is no playbook and no role in {', '.join(paths or ('.',))}", remedy="Name playbooks or roles.")
    for target in targets:
        found += check(target, flags)
    unique = list({(str(error.where), error.code, error.message): error for error in found}.values())
    errors = [error for error in unique if error.code not in WARNINGS]
    report(unique, as_json, len(targets), len(errors))
    return 1 if errors or (strict and unique) else 0


def expand(path: Path) -> Iterator[Path]:
    """A playbook, a role's folder, or what a project folder holds of both."""
    if is_role(path) or path.is_file() or not path.exists():
        yield path
        return
    for folder in (path, path / "playbooks"):
        yield from (file for file in sorted(folder.glob("*.y*ml")) if is_playbook(file))
    for roles in (path / "roles", path):
        yield from (role for role in sorted(roles.glob("*")) if is_role(role))


def is_role(path: Path) -> bool:
    return any((path / "tasks" / f"main{end}").is_file() for end in (".yml", ".yaml"))


def is_playbook(path: Path) -> bool:
    from opsplay.source.nodes import ListNode, MapNode
    from opsplay.source.yaml_reader import read_yaml

    try:
        node = read_yaml(path, duplicates="warn", warn=lambda error: None)
    except OpsError:
        return True
    first = node.items[0] if isinstance(node, ListNode) and node.items else None
    return isinstance(first, MapNode) and any(str(key.value).endswith(("hosts", "import_playbook")) for key, _ in first.pairs)


def check(target: Path, flags: dict[str, Any]) -> list[OpsError]:
    """Everything that is wrong with a playbook or role."""
    from opsplay.cli.launching import run_for, settings_for
    from opsplay.plan.checks import check_playbook
    from opsplay.plan.findings import findings

    folder = (target if target.is_dir() else target.parent).absolute()
    try:
        run, vault = run_for({**flags, "limit": None}, settings_for(flags), folder)
    except OpsErrors as errors:
        return errors.errors
    except OpsError as error:
        return [error]
    book, problems = load(run, target, vault)
    if book is None:
        return problems
    names = names_for(run, book, folder, vault)
    problems += check_playbook(book, run.catalog, run.known)
    return problems + [problem for play in book.plays for problem in findings(play, names)]


def load(run: Run, target: Path, vault: Any) -> tuple[Playbook | None, list[OpsError]]:
    """The playbook as far as it can be read, and its problems; a role is read as a play that uses it."""
    from opsplay.engine.launch import workshop_for
    from opsplay.model.building import Parent
    from opsplay.model.play import Playbook
    from opsplay.model.playbooks import read_play, read_plays
    from opsplay.source.yaml_reader import parse_yaml

    shop = workshop_for(run, target, vault)
    try:
        if target.is_dir():
            node: Any = parse_yaml(json.dumps({"hosts": "all", "roles": [str(target.absolute())]}), str(target))
            plays = [read_play(shop, node, target / "role", Parent())]
        else:
            plays = read_plays(shop, target, Parent(), None)
    except OpsErrors as errors:
        return None, [*shop.problems, *errors.errors]
    except OpsError as error:
        return None, [*shop.problems, error]
    return Playbook(str(target), tuple(plays)), list(shop.problems)


def names_for(run: Run, book: Playbook, folder: Path, vault: Any) -> Names:
    from opsplay.plan.checks import tasks_of
    from opsplay.plan.findings import Names
    from opsplay.plan.known_names import KnownNames
    from opsplay.variables.magic import TABLE

    known = KnownNames()
    known.names.update(TABLE, run.store.extra.values)
    for base in dict.fromkeys([project_of(folder), folder, *(Path(base) for base in run.inventory.vars_bases)]):
        known.add_project(base, vault)
    for play in book.plays:
        for ref in [*play.role_refs, *(task.role for task in tasks_of(play) if task.role)]:
            known.add_project(Path(ref.path), vault)
    for host in run.inventory.hosts:
        known.names.update(name for layer in run.inventory.host_layers(host) for name in layer.values)
    environment = run.templar.environment
    return Names(known, frozenset(environment.globals), lambda name: name in environment.filters, lambda name: name in environment.tests,
                 frozenset(environment.filters.index) if hasattr(environment.filters, "index") else frozenset())  # fmt: skip


def project_of(folder: Path) -> Path:
    """The folder above that has roles, inventories or a configuration; a role's own project."""
    for candidate in (folder, *folder.parents[:2]):
        if any((candidate / name).exists() for name in ("ansible.cfg", "roles", "inventories", "group_vars", ".git")):
            return candidate
    return folder


def report(found: list[OpsError], as_json: bool, count: int, errors: int) -> None:
    if as_json:
        for error in found:
            click.echo(json.dumps(as_data(error)))
        return
    for error in found:
        sys.stdout.write((error.render().replace("error:", "warning:", 1) if error.code in WARNINGS else error.render()).rstrip() + "\n\n")
    files = f"{count} file{'s' if count != 1 else ''}"
    click.echo(f"{files} checked: {errors} errors, {len(found) - errors} warnings" if found else f"{files} checked: nothing found")


def as_data(error: OpsError) -> dict[str, Any]:
    where = error.where
    return {
        "level": "warning" if error.code in WARNINGS else "error", "code": error.code, "message": error.message, "remedy": error.remedy,
        "path": where.path if where else "", "line": where.line if where else 0, "column": where.column if where else 0,
    }  # fmt: skip
