"""The drop-in for `ansible-galaxy`: roles and collections from local folders and archives; no server is asked."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click

from opsplay.cli.run_options import stacked
from opsplay.errors import Fault, OpsError

KINDS = ("role", "collection")
SERVER_ACTIONS = ("search", "import", "setup", "info", "delete", "login", "publish", "download", "build", "verify")

install_options = stacked(
    click.argument("sources", nargs=-1),
    click.option("-p", "--roles-path", "--collections-path", "folder", metavar="FOLDER", help="Install here."),
    click.option("-r", "--role-file", "--requirements-file", "file", metavar="FILE", help="What to install."),
    click.option("-f", "--force", "--force-with-deps", "force", is_flag=True, help="Write over what is installed."),
    click.option("-n", "--no-deps", is_flag=True),
    click.option("-i", "--ignore-errors", is_flag=True),
    click.option("--pre", is_flag=True, hidden=True), click.option("-U", "--upgrade", is_flag=True, hidden=True),
    click.option("--offline", is_flag=True, hidden=True), click.option("-c", "--ignore-certs", is_flag=True, hidden=True),
    click.option("-s", "--server", hidden=True), click.option("--token", "--api-key", hidden=True),
    click.option("-g", "--keep-scm-meta", is_flag=True, hidden=True), click.option("-v", "--verbose", count=True),
)  # fmt: skip


class GalaxyGroup(click.Group):
    """`ansible-galaxy install x` means `ansible-galaxy role install x`."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in KINDS and not args[0].startswith("-"):
            args = ["role", *args]
        return super().resolve_command(ctx, args)


class ContentGroup(click.Group):
    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] in SERVER_ACTIONS:
            raise OpsError("needs-a-server", f"ansible-galaxy {ctx.info_name} {args[0]} is not there: opsplay installs local content only",
                           fault=Fault.USAGE, remedy="Use ansible-core's own ansible-galaxy for that.")  # fmt: skip
        return super().resolve_command(ctx, args)


@click.group("ansible-galaxy", cls=GalaxyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True)
@click.pass_context
def galaxy(context: click.Context, version: bool) -> int | None:
    """Install local roles and collections."""
    from opsplay.cli.ansible import show_version

    if version:
        context.exit(show_version("ansible-galaxy"))
    if context.invoked_subcommand is None:
        raise click.UsageError("the following arguments are required: COLLECTION_OR_ROLE_ACTION")
    return None


@galaxy.group("role", cls=ContentGroup)
def role() -> None:
    """Roles."""


@galaxy.group("collection", cls=ContentGroup)
def collection() -> None:
    """Collections."""


def folders(kind: str, folder: str | None) -> list[Path]:
    from opsplay.settings import load_settings

    settings = load_settings()
    paths = folder.split(":") if folder else list(settings.roles_path if kind == "role" else settings.collections_path)
    return [Path(path).expanduser() for path in paths]


def run_install(kind: str, sources: tuple[str, ...], folder: str | None, file: str | None, force: bool, ignore_errors: bool) -> int:
    from opsplay.content import collections, roles
    from opsplay.content.requirements import Requirement, from_argument, from_file

    if not sources and not file:
        raise OpsError("bad-option-source", f"- you must specify a {kind} or a requirements file", fault=Fault.USAGE,
                       remedy=f"ansible-galaxy {kind} install PATH")  # fmt: skip
    wanted: list[Callable[[], Requirement]] = [partial(from_argument, text, kind) for text in sources]
    wanted += from_file(Path(file), kind) if file else []
    target = folders(kind, folder)[0]
    for requirement in wanted:
        try:
            click.echo((roles if kind == "role" else collections).install(requirement(), target, force))
        except OpsError as error:
            if not ignore_errors:
                raise
            sys.stderr.write(f"[WARNING]: - {error.message}\n")
    return 0


@role.command("install")
@install_options
def install_role(sources: tuple[str, ...], folder: str | None, file: str | None, force: bool, ignore_errors: bool, **_: Any) -> int:
    """Install roles from folders, archives or a requirements file."""
    return run_install("role", sources, folder, file, force, ignore_errors)


@collection.command("install")
@install_options
def install_collection(sources: tuple[str, ...], folder: str | None, file: str | None, force: bool, ignore_errors: bool, **_: Any) -> int:
    """Install collections from folders, archives or a requirements file."""
    return run_install("collection", sources, folder, file, force, ignore_errors)


@role.command("list")
@click.argument("name", required=False)
@click.option("-p", "--roles-path", "folder", metavar="FOLDER")
@click.option("-v", "--verbose", count=True)
def list_roles(name: str | None, folder: str | None, verbose: int) -> None:
    """List the roles that are installed."""
    from opsplay.content.roles import installed

    found = False
    for base, names in installed(folders("role", folder)):
        click.echo(f"# {base}")
        for item in names:
            if name in (None, item):
                found = True
                click.echo(f"- {item}, (unknown version)")
    if name and not found:
        click.echo(f"- the role {name} was not found")


@collection.command("list")
@click.argument("name", required=False)
@click.option("-p", "--collections-path", "folder", metavar="FOLDER")
@click.option("--format", "form", type=click.Choice(["human", "json", "yaml"]), default="human")
@click.option("-v", "--verbose", count=True)
def list_collections(name: str | None, folder: str | None, form: str, verbose: int) -> None:
    """List the collections that are installed."""
    import json

    from opsplay.content.collections import installed

    found = {str(base): {full: version for full, version in items if name in (None, full)} for base, items in installed(folders("collection", folder))}
    if form != "human":
        click.echo(json.dumps({base: {full: {"version": version} for full, version in items.items()} for base, items in found.items()}))
        return
    for base, items in found.items():
        width = max([len(full) for full in items] + [10])
        click.echo(f"\n# {base}\n{'Collection':<{width}} Version\n{'-' * width} -------")
        click.echo("\n".join(f"{full:<{width}} {version}" for full, version in items.items()))


@role.command("remove")
@click.argument("names", nargs=-1, required=True)
@click.option("-p", "--roles-path", "folder", metavar="FOLDER")
@click.option("-v", "--verbose", count=True)
def remove_roles(names: tuple[str, ...], folder: str | None, verbose: int) -> None:
    """Remove roles."""
    from opsplay.content.roles import remove

    for name in names:
        click.echo(remove(name, folders("role", folder)))


init_options = stacked(
    click.argument("name"),
    click.option("--init-path", default=".", metavar="FOLDER"),
    click.option("-f", "--force", is_flag=True),
    click.option("--offline", is_flag=True, hidden=True),
    click.option("-v", "--verbose", count=True),
)


@role.command("init")
@init_options
def init_role(name: str, init_path: str, force: bool, **_: Any) -> None:
    """The folders of a new role."""
    from opsplay.content.roles import create

    click.echo(create(name, Path(init_path), force))


@collection.command("init")
@init_options
def init_collection(name: str, init_path: str, force: bool, **_: Any) -> None:
    """The folders of a new collection."""
    from opsplay.content.collections import create

    click.echo(create(name, Path(init_path), force))
