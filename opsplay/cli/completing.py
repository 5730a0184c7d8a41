"""Completing: what the Tab key offers beyond commands and options: files, modules, hosts and groups."""

from __future__ import annotations

import contextlib

import click

FILE = click.Path()  # the shell completes it; whether it must be there is for the command to say


def modules(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Short names; full ones once a dot was typed. With `doc -t filter` the filters, and so on."""
    from opsplay.cli.doc import catalog_for
    from opsplay.reference.lookup import summaries

    kind = context.params.get("kind") or "module"
    full = sorted(summaries(kind, catalog_for(None)))
    names = full if "." in incomplete else sorted({name.rpartition(".")[2] for name in full})
    return [name for name in names if name.startswith(incomplete)]


def hosts(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Hosts and groups of the inventory; after `web,` or `web:` the next one. Nothing where it cannot be read."""
    with contextlib.suppress(Exception):
        from opsplay.cli.launching import inventories, settings_for
        from opsplay.engine.launch import assemble
        from opsplay.variables.store import Options

        settings = settings_for({})
        found = assemble(settings, Options(inventory=inventories(context.params, settings))).inventory
        before, last = split_pattern(incomplete)
        return [before + name for name in sorted({*found.hosts, *found.groups}) if name.startswith(last)]
    return []


def split_pattern(text: str) -> tuple[str, str]:
    """What stands, and the name being typed: `web:!db` is (`web:!`, `db`)."""
    start = max(text.rfind(mark) for mark in ",:!&") + 1
    return text[:start], text[start:]
