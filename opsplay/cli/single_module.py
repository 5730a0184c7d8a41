"""Single module: what `opsplay exec` and the drop-in for `ansible` share: flags, the run, the list of hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opsplay.cli.completing import modules
from opsplay.cli.run_options import stacked

if TYPE_CHECKING:
    from opsplay.engine.launch import Prepared
    from opsplay.engine.run import Run
    from opsplay.settings import Settings
    from opsplay.vault.secrets import VaultSecrets

module_options = stacked(
    click.option("-m", "--module-name", "module", metavar="MODULE", shell_complete=modules, default="command", show_default=True, help="The module."),
    click.option("-a", "--args", "arguments", metavar="ARGS", default="", help="Its arguments: key=value words, or JSON."),
    click.option("-B", "--background", type=int, default=0, metavar="SECONDS", help="Run in the background, at most so long."),
    click.option("-P", "--poll", "poll", type=int, default=15, metavar="SECONDS", show_default=True,
                 help="With -B: ask so often whether it is done; 0 does not wait."),
    click.option("--task-timeout", type=int, default=0, metavar="SECONDS", help="Give up after so long."),
    click.option("--playbook-dir", metavar="FOLDER", help="The folder that stands for the playbook's: its library, group_vars, ..."),
    click.option("--list-hosts", is_flag=True, help="Only list the hosts."),
)  # fmt: skip


def prepare_module(
    run: Run, vault: VaultSecrets, pattern: str, flags: Mapping[str, Any], folder: Path, name: str
) -> Prepared:
    """The run of one module on hosts. Raises OpsError(s) for a module or arguments that are wrong."""
    from opsplay.engine.launch import Prepared, workshop_for
    from opsplay.errors import OpsErrors
    from opsplay.model.single_task import single_task_book
    from opsplay.plan.checks import check_playbook

    keywords: dict[str, object] = {}
    if flags["background"]:
        keywords = {"async": flags["background"], "poll": flags["poll"]}
    if flags["task_timeout"]:
        keywords["timeout"] = flags["task_timeout"]
    shop = workshop_for(run, folder / "command line", vault)
    book = single_task_book(shop, pattern, flags["module"], flags["arguments"], keywords, name)
    problems = [] if run.settings.compatible else check_playbook(book, run.catalog, run.known)
    if problems:
        raise OpsErrors(problems) if len(problems) > 1 else problems[0]
    return Prepared(run, [(book, shop)], (name,))


def matching_hosts(run: Run, pattern: str) -> list[str]:
    """Raises OpsError where the inventory has hosts and none is meant; Ansible's own program minds only an empty --limit."""
    from opsplay.errors import Fault, OpsError
    from opsplay.templating.template import template_or_text

    pattern = str(run.templar.render(template_or_text(pattern), run.store.scope("localhost")))
    warnings: list[str] = []
    hosts = list(run.inventory.select(pattern, run.options.limit, warnings.append))
    for text in (*run.inventory.notices, *warnings):
        click.echo(f"[WARNING]: {text}", err=True)
    run.inventory.notices.clear()
    if not hosts and run.inventory.hosts and (run.options.limit or not run.settings.compatible):
        raise OpsError("no-hosts-matched", "Specified hosts and/or --limit does not match any hosts", fault=Fault.USAGE,
                       remedy="List the hosts with: opsplay inventory graph")  # fmt: skip
    return hosts


def list_hosts(hosts: Sequence[str]) -> int:
    click.echo("\n".join([f"  hosts ({len(hosts)}):", *(f"    {host}" for host in hosts)]))
    return 0


def folder_of(flags: Mapping[str, Any], settings: Settings) -> Path:
    return Path(flags.get("playbook_dir") or settings.playbook_dir or ".").expanduser().absolute()
