"""The drop-in for `ansible-config`: list, dump, view, init and validate the settings that exist here."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opsplay.cli.run_options import stacked
from opsplay.errors import Fault, OpsError

if TYPE_CHECKING:
    from opsplay.reference.setting_documents import SettingDocument

shared = stacked(
    click.option("-c", "--config", "file", metavar="FILE", help="This configuration file, not the first one found."),
    click.option("-t", "--type", "kind", default="base", help="base or all: plugins have no settings of their own here."),
    click.option("-v", "--verbose", count=True),
)


@click.group("ansible-config", invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True)
@click.pass_context
def config(context: click.Context, version: bool) -> int | None:
    """Show the settings."""
    from opsplay.cli.ansible import show_version

    if version:
        context.exit(show_version("ansible-config"))
    if context.invoked_subcommand is None:
        raise click.UsageError("the following arguments are required: action")
    return None


def documents(file: str | None) -> list[SettingDocument]:
    from opsplay.reference.setting_documents import setting_documents

    check_file(file)
    return setting_documents({**os.environ, **({"ANSIBLE_CONFIG": file} if file else {})})


def check_file(file: str | None) -> None:
    """Raises OpsError for a file that cannot be a configuration."""
    if file and not Path(file).is_file():
        raise OpsError("file-not-found", f"The provided configuration file is missing or not accessible: {file}", fault=Fault.USAGE,
                       remedy="Check the path given with -c.")  # fmt: skip
    if file and Path(file).suffix not in (".cfg", ".ini"):
        raise OpsError("bad-configuration", f"Unsupported configuration file extension: {file}", fault=Fault.USAGE,
                       remedy="Name it .cfg or .ini.")  # fmt: skip


@config.command("dump")
@shared
@click.option("--only-changed", "--changed-only", "changed", is_flag=True, help="Only what is not as it comes.")
@click.option("-f", "--format", "form", type=click.Choice(["display", "json", "yaml"]), default="display")
def dump(file: str | None, kind: str, verbose: int, changed: bool, form: str) -> None:
    """What every setting is now, and who said so."""
    found = [item for item in documents(file) if item.origin != "default" or not changed]
    if form == "display":
        for item in found:
            click.echo(f"{item.name}({item.origin}) = {shown(item.value)}")
        return
    write(form, [{"name": item.name, "value": plain(item.value), "origin": item.origin, "type": item.kind} for item in found])


@config.command("list")
@shared
@click.option("-f", "--format", "form", type=click.Choice(["json", "yaml"]), default="yaml")
def list_(file: str | None, kind: str, verbose: int, form: str) -> None:
    """Every setting, its keys and its default."""
    write(form, {item.name: entry(item) for item in documents(file)})


def entry(item: SettingDocument) -> dict[str, Any]:
    return {
        "name": item.name, "default": plain(item.default), "type": item.kind,
        "env": [{"name": name} for name in item.environment], "ini": [{"key": item.key, "section": item.section}],
    }  # fmt: skip


@config.command("view")
@shared
def view(file: str | None, kind: str, verbose: int) -> None:
    """Print the configuration file."""
    from opsplay.settings import find_config

    check_file(file)
    path = Path(file) if file else find_config(os.environ, Path.cwd(), [])
    if path is None:
        raise OpsError("file-not-found", "Invalid or no config file was supplied", fault=Fault.USAGE, remedy="Name one with -c.")
    click.echo(path.read_text(encoding="utf-8", errors="replace"), nl=False)


@config.command("init")
@shared
@click.option("--disabled", is_flag=True, help="Every line a comment.")
@click.option("-f", "--format", "form", type=click.Choice(["ini", "env", "vars"]), default="ini")
def init(file: str | None, kind: str, verbose: int, disabled: bool, form: str) -> None:
    """A configuration file with every setting, to begin with."""
    mark = {"ini": ";", "env": "#"}.get(form, "#") if disabled else ""
    if form == "env":
        for item in filter(lambda item: item.environment, documents(file)):
            click.echo(f"{mark}{item.environment[0]}={ini(item.default)}")
        return
    sections: dict[str, list[SettingDocument]] = {}
    for item in documents(file):
        sections.setdefault(item.section, []).append(item)
    for section, items in sections.items():
        click.echo(f"[{section}]")
        for item in items:
            off = mark or (";" if item.default is None else "")
            click.echo(f"# {item.name} ({item.kind}); environment: {', '.join(item.environment)}\n{off}{item.key}={ini(item.default)}\n")


@config.command("validate")
@shared
@click.option("-f", "--format", "form", type=click.Choice(["ini", "env"]), default="ini")
def validate(file: str | None, kind: str, verbose: int, form: str) -> int:
    """Say which keys of the configuration file are no setting here."""
    from opsplay.reference.setting_documents import unknown_keys
    from opsplay.settings import find_config

    path = Path(file) if file else find_config(os.environ, Path.cwd(), [])
    documents(file)
    if form == "env" or path is None:
        known = {name for item in documents(file) for name in item.environment} | {"ANSIBLE_CONFIG"}
        wrong = [name for name in os.environ if name.startswith("ANSIBLE_") and name not in known]
    else:
        wrong = list(unknown_keys(path))
    for name in wrong:
        click.echo(f"[WARNING]: Found unknown configuration entry: {name}", err=True)
    if not wrong:
        click.echo("All configurations seem valid!")
    return 1 if wrong else 0


def write(form: str, data: Any) -> None:
    if form == "json":
        click.echo(json.dumps(data, indent=4))
    else:
        import yaml

        click.echo(yaml.safe_dump(data, default_flow_style=False, sort_keys=True), nl=False)


def plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def shown(value: Any) -> str:
    return repr(plain(value)) if isinstance(value, tuple) else str(value)


def ini(value: Any) -> str:
    if isinstance(value, tuple):
        return ":".join(value) if all("/" in item for item in value) else ",".join(value)
    return "" if value is None else str(value)
