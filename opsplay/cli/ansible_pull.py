"""The drop-in for `ansible-pull`: check a repository out and run a playbook of it on this very host."""

from __future__ import annotations

import json
import os
import platform
import random
import shlex
import shutil
import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opsplay.errors import Fault, OpsError

if TYPE_CHECKING:
    from opsplay.events import Event

DEFAULT_PLAYBOOK = "local.yml"
# What is handed on to ansible-playbook: options with a value, and flags.
VALUES: tuple[tuple[str, ...], ...] = (
    ("--private-key", "--key-file"), ("-u", "--user"), ("-c", "--connection"), ("-T", "--timeout"), ("--ssh-common-args",),
    ("--sftp-extra-args",), ("--scp-extra-args",), ("--ssh-extra-args",), ("--connection-password-file", "--conn-pass-file"),
    ("--vault-id",), ("--vault-password-file", "--vault-pass-file"), ("-e", "--extra-vars"), ("-t", "--tags"), ("--skip-tags",),
    ("-M", "--module-path"), ("--become-password-file", "--become-pass-file"),
)  # fmt: skip
FLAGS: tuple[tuple[str, ...], ...] = (
    ("-k", "--ask-pass"), ("-J", "--ask-vault-pass", "--ask-vault-password"), ("-K", "--ask-become-pass"), ("--flush-cache",), ("--check",),
    ("--diff",), ("--list-hosts",),
)  # fmt: skip


def handed_on(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that ansible-playbook gets as they are."""
    for names in VALUES:
        command = click.option(*names, _field(names), multiple=True)(command)
    for names in FLAGS:
        command = click.option(*names, _field(names), is_flag=True)(command)
    return command


def _field(names: Sequence[str]) -> str:
    return next(name for name in names if name.startswith("--"))[2:].replace("-", "_")


@click.command("ansible-pull", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("playbooks", nargs=-1, metavar="[PLAYBOOK.yml ...]")
@handed_on
@click.option("-U", "--url", help="The repository's URL.")
@click.option("-d", "--directory", metavar="DEST", help="Where to check out (~/.ansible/pull/HOSTNAME).")
@click.option("-C", "--checkout", help="Branch, tag or commit.")
@click.option("-m", "--module-name", "module", default="git", show_default=True, help="The module that checks out.")
@click.option("-i", "--inventory", "--inventory-file", multiple=True, help="Inventory file or host list.")
@click.option("-l", "--limit", help="Only these hosts; this host's names where not given.")
@click.option("-o", "--only-if-changed", is_flag=True, help="Run the playbook only if the repository has been updated.")
@click.option("-f", "--force", is_flag=True, help="Run the playbook even if the repository could not be updated.")
@click.option("-s", "--sleep", type=int, help="Sleep for a random interval, up to this many seconds, first.")
@click.option("--full", is_flag=True, help="A full clone, not a shallow one.")
@click.option("--clean", is_flag=True, help="Discard modified files in the working repository.")
@click.option("--purge", is_flag=True, help="Remove the checkout after the run.")
@click.option("--accept-host-key", is_flag=True, help="Add the host key of the repository's host.")
@click.option("--verify-commit", is_flag=True, help="Verify the commit's GPG signature.")
@click.option("--track-subs", is_flag=True, help="Submodules track the latest changes.")
@click.option("-v", "--verbose", count=True)
@click.option("--version", is_flag=True)
def pull(playbooks: tuple[str, ...], version: bool, **flags: Any) -> int:
    """Check a repository out, and run PLAYBOOKs of it on this host."""
    from opsplay.cli.ansible import show_version

    if version:
        return show_version("ansible-pull")
    if not flags["url"]:
        raise click.UsageError("URL for repository not specified, use -h for help")
    print(f"Starting Ansible Pull at {time.strftime('%F %T')}\n{' '.join(sys.argv)}", flush=True)
    if flags["sleep"]:
        time.sleep(random.randint(0, flags["sleep"]))
    folder = Path(flags["directory"] or Path("~/.ansible/pull", socket.getfqdn())).expanduser().absolute()
    code, changed = check_out(folder, flags)
    if code and not flags["force"]:
        return code
    if code:
        click.echo("[WARNING]: Unable to update repository. Continuing with (forced) run of playbook.", err=True)
    elif flags["only_if_changed"] and not changed:
        print("Repository has not changed, quitting.")
        return 0
    try:
        return play(folder, playbooks, flags)
    finally:
        if flags["purge"]:
            os.chdir("/")
            shutil.rmtree(folder, ignore_errors=True)


def check_out(folder: Path, flags: dict[str, Any]) -> tuple[int, bool]:
    """The exit code of the module that checks out, and whether it changed something."""
    from opsplay.cli.ansible import compatible_settings
    from opsplay.cli.ansible_adhoc import shown
    from opsplay.cli.launching import run_for
    from opsplay.cli.single_module import prepare_module
    from opsplay.events import HostFinished

    seen: list[bool] = []

    def listener(event: Event) -> None:
        if isinstance(event, HostFinished):
            seen.append(bool(event.result.get("changed")))

    module = {
        "module": flags["module"], "arguments": json.dumps(repository(folder, flags)), "background": 0, "task_timeout": 0,
        "inventory": ("localhost,",), "extra_vars": (f"ansible_python_interpreter={shlex.quote(sys.executable)}",), "verbose": flags["verbose"], "connection": "local",
    }  # fmt: skip
    settings = compatible_settings(module)
    run, vault = run_for(module, settings, Path.cwd())
    prepared = prepare_module(run, vault, "localhost", module, Path.cwd(), "Ansible Ad-Hoc")
    code = shown(prepared, settings, flags["module"], False, None, [listener])
    return code, any(seen)


def repository(folder: Path, flags: dict[str, Any]) -> dict[str, Any]:
    """The arguments of the module. Raises OpsError for a module that is not here."""
    if flags["module"].rpartition(".")[2] != "git":
        raise OpsError("bad-option-module", f"Unsupported repository module {flags['module']}, choices are: git", fault=Fault.USAGE,
                       remedy="Keep the playbooks in a git repository.")  # fmt: skip
    found = {
        "repo": flags["url"], "dest": str(folder), "version": flags["checkout"], "accept_hostkey": flags["accept_host_key"],
        "key_file": next(iter(flags["private_key"]), None), "verify_commit": flags["verify_commit"],
        "track_submodules": flags["track_subs"], "force": flags["clean"], "depth": None if flags["full"] else 1,
    }  # fmt: skip
    return {name: value for name, value in found.items() if value not in (None, False)}


def play(folder: Path, playbooks: Sequence[str], flags: dict[str, Any]) -> int:
    """Run the playbooks from within the checkout: its ansible.cfg holds."""
    from opsplay.cli.ansible import guarded

    given = [str(Path(item).absolute()) if "," not in item and Path(item).exists() else item for item in flags["inventory"]]
    os.chdir(folder)
    arguments = [f"-{'v' * flags['verbose']}"] if flags["verbose"] else []
    arguments += [] if flags["connection"] else ["-c", "local"]
    for names in VALUES:
        for value in flags[_field(names)]:
            arguments += [names[-1], value]
    arguments += [names[-1] for names in FLAGS if flags[_field(names)]]
    for item in given:
        arguments += ["-i", item] if "," in item or Path(item).exists() else []
    arguments += ["-l", flags["limit"] or ",".join(own_names())]
    return guarded("ansible-playbook", [*arguments, *chosen(playbooks, folder)])


def own_names() -> list[str]:
    """The names by which an inventory may know this host."""
    names = (socket.getfqdn(), platform.node())
    return list(dict.fromkeys(["localhost", *names, *(name.split(".")[0] for name in names), "127.0.0.1"]))


def chosen(playbooks: Sequence[str], folder: Path) -> list[str]:
    """The playbooks given, else HOSTNAME.yml or local.yml. Raises OpsError where there is none."""
    if playbooks:
        missing = [name for name in playbooks if not (folder / name).exists()]
    else:
        names = [f"{name}.yml" for name in own_names()[1:-1]]
        playbooks = [name for name in (*names, DEFAULT_PLAYBOOK) if (folder / name).exists()][:1]
        missing = [] if playbooks else [DEFAULT_PLAYBOOK]
    if missing:
        raise OpsError("playbook-not-found", f"Could not find a playbook to run: {', '.join(missing)}", fault=Fault.USAGE,
                       remedy=f"It must be in the repository, which is at {folder}.")  # fmt: skip
    return [str(folder / name) for name in playbooks]
