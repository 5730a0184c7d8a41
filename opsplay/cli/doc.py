"""opsplay doc: what a module, filter, test or lookup does and takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opsplay.cli.completing import modules
from opsplay.errors import Fault, OpsError

if TYPE_CHECKING:
    from opsplay.model.catalog import Catalog

KINDS = ("module", "filter", "test", "lookup")


@click.command("doc", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, shell_complete=modules)
@click.option("-l", "--list", "list_", is_flag=True, help="List what there is.")
@click.option("-t", "--type", "kind", type=click.Choice(KINDS), default="module", show_default=True, help="What to explain.")
@click.option("-s", "--snippet", is_flag=True, help="A task to paste into a playbook.")
@click.option("-j", "--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--playbook-dir", metavar="FOLDER", help="Its library/ counts, too.")
@click.option("--write-pages", metavar="FOLDER", hidden=True, help="Write the index of modules into FOLDER.")
def doc(
    names: tuple[str, ...], list_: bool, kind: str, snippet: bool, as_json: bool, playbook_dir: str | None, write_pages: str | None
) -> int:
    """Explain modules (or filters, tests, lookups) by NAME."""
    catalog = catalog_for(playbook_dir)
    if write_pages:
        from opsplay.reference.pages import write

        return write(Path(write_pages))
    if list_ or not names:
        return show_list(kind, catalog, as_json)
    return show_documents(kind, names, catalog, as_json, snippet)


def catalog_for(playbook_dir: str | None, library: tuple[str, ...] = ()) -> Catalog:
    from opsplay.model.catalog import Catalog
    from opsplay.settings import load_settings

    settings = load_settings()
    base = Path(playbook_dir or settings.playbook_dir or ".").expanduser().absolute()
    return Catalog([*library, str(base / "library"), *settings.library], [str(base / "collections"), *settings.collections_path])


def show_list(kind: str, catalog: Catalog, as_json: bool, filters: tuple[str, ...] = ()) -> int:
    from opsplay.reference.lookup import summaries

    found = {name: text for name, text in sorted(summaries(kind, catalog).items()) if not filters or name.startswith(filters)}
    if as_json:
        click.echo(json.dumps(found, indent=4))
        return 0
    width = max((len(name) for name in found), default=0)
    click.echo("\n".join(f"{name:<{width}}  {text}" for name, text in found.items()))
    return 0


def show_documents(kind: str, names: tuple[str, ...], catalog: Catalog, as_json: bool, snippet: bool) -> int:
    from opsplay.reference import texts
    from opsplay.reference.lookup import documents

    found = documents(kind, names, catalog)
    if as_json:
        click.echo(json.dumps({name: document for name, (document, _) in found.items()}, indent=4, default=str, sort_keys=True))
        return 0
    for name, (document, demands) in found.items():
        text: Any = texts.snippet(name, document) if snippet else texts.terminal_text(name, document, demands)
        click.echo(text)
    return 0


def only_known(kind: str) -> str:
    """The kind, or OpsError for one of Ansible's that is not there."""
    if kind not in KINDS:
        raise OpsError("bad-option-type", f"there are no documents of type {kind} here", fault=Fault.USAGE,
                       remedy=f"There are: {', '.join(KINDS)}.")  # fmt: skip
    return kind
