"""The drop-in for `ansible-doc`."""

from __future__ import annotations

import click


@click.command("ansible-doc", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1)
@click.option("-l", "--list", "list_", is_flag=True, help="List what there is; names are the beginnings to keep.")
@click.option("-t", "--type", "kind", default="module", show_default=True, help="module, filter, test or lookup.")
@click.option("-s", "--snippet", is_flag=True, help="A task to paste into a playbook.")
@click.option("-j", "--json", "as_json", is_flag=True, help="As JSON.")
@click.option("-M", "--module-path", multiple=True, help="Folders with modules.")
@click.option("--playbook-dir", metavar="FOLDER", help="Its library/ counts, too.")
@click.option("-v", "--verbose", count=True)
@click.option("--version", is_flag=True)
def doc(
    names: tuple[str, ...], list_: bool, kind: str, snippet: bool, as_json: bool, module_path: tuple[str, ...],
    playbook_dir: str | None, verbose: int, version: bool,
) -> int:  # fmt: skip
    """Explain modules (or filters, tests, lookups)."""
    from opsplay.cli.ansible import show_version
    from opsplay.cli.doc import catalog_for, only_known, show_documents, show_list

    if version:
        return show_version("ansible-doc")
    only_known(kind)
    catalog = catalog_for(playbook_dir, tuple(part for item in module_path for part in item.split(":")))
    if list_:
        return show_list(kind, catalog, as_json, names)
    if not names:
        raise click.UsageError("Incorrect options passed")
    return show_documents(kind, names, catalog, as_json, snippet)
