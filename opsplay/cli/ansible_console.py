"""The drop-in for `ansible-console`: a prompt that runs one module after the other on the hosts of a pattern."""

from __future__ import annotations

import cmd
import getpass
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opsplay.cli.run_options import connection_options, inventory_options, mode_options, variable_options
from opsplay.errors import OpsError, OpsErrors

if TYPE_CHECKING:
    from opsplay.engine.run import Run
    from opsplay.variables.store import Options

SECRET = ("ask_pass", "ask_become_pass")
SWITCHES = ("become", "check", "diff")
WORDS = ("become_user", "become_method", "remote_user")
NUMBERS = {"forks": "forks", "timeout": "task_timeout", "verbosity": "verbose"}
YES = frozenset({"yes", "true", "on", "1", "y"})


@click.command("ansible-console", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("pattern", default="all")
@inventory_options
@variable_options
@mode_options
@connection_options
@click.option("--task-timeout", type=int, default=0, metavar="SECONDS", help="Give up after so long.")
@click.option("--playbook-dir", metavar="FOLDER", help="The folder that stands for the playbook's: its library, group_vars, ...")
@click.option("-M", "--module-path", multiple=True, help="Folders with modules.")
@click.option("--list-hosts", is_flag=True, help="Only list the hosts.")
@click.option("--version", is_flag=True)
def console(pattern: str, version: bool, module_path: tuple[str, ...], **flags: Any) -> int:
    """Run modules on the hosts of PATTERN, as you type them: MODULE ARGUMENTS, or a command for the shell."""
    from opsplay.cli.ansible import show_version
    from opsplay.cli.single_module import list_hosts

    if version:
        return show_version("ansible-console")
    talk = Console(pattern, {"background": 0, "poll": 15, **flags}, module_path)
    if flags["list_hosts"]:
        return list_hosts(talk.hosts)
    talk.cmdloop("Welcome to the ansible console. Type help or ? to list commands.\n")
    return 0


class Console(cmd.Cmd):
    """`flags` are those of the command line; some may be changed at the prompt."""

    def __init__(self, pattern: str, flags: dict[str, Any], module_path: tuple[str, ...]) -> None:
        super().__init__()
        self.flags = flags
        self.module_path = module_path
        self.logins: Options | None = None
        self.hosts: list[str] = []
        self.pattern = pattern
        self.enter(pattern)

    # -- where the console is ------------------------------------------------------------------------------------

    def enter(self, pattern: str) -> None:
        """Raises ValueError where the pattern means nobody: then all stays as it is."""
        from opsplay.cli.single_module import matching_hosts

        found = matching_hosts(self.assembled()[0], pattern)
        if self.hosts and not found:
            raise ValueError("no host matched")
        self.hosts, self.pattern = found, pattern
        user = self.flags["remote_user"] or getpass.getuser()
        mark = "#" if self.flags["become"] else "$"
        self.prompt = f"{user}@{pattern} ({len(self.hosts)})[f:{self.flags['forks'] or len(self.hosts)}]{mark} "

    def assembled(self) -> tuple[Run, Any, Any, Path]:
        """A run, its vault, its settings, the folder; passwords are asked for once."""
        from opsplay.cli.ansible import compatible_settings
        from opsplay.cli.launching import run_for
        from opsplay.cli.single_module import folder_of

        flags = self.flags if self.logins is None else {**self.flags, **dict.fromkeys(SECRET, False)}
        settings = compatible_settings(flags, self.module_path)
        folder = folder_of(flags, settings)
        run, vault = run_for(flags, settings, folder)
        if self.logins is not None:
            known = {name: getattr(self.logins, name) for name in ("connection_password", "become_password")}
            run.options = run.store.options = replace(run.options, **known)
        self.logins = run.options
        return run, vault, settings, folder

    # -- what is typed -------------------------------------------------------------------------------------------

    def onecmd(self, line: str) -> bool:
        """Nothing that is typed wrong ends the console."""
        from opsplay.cli.ansible import complain

        try:
            return super().onecmd(line.strip())
        except OpsErrors as errors:
            for error in errors.errors:
                complain(error)
        except OpsError as error:
            complain(error)
        except ValueError as error:
            click.echo(f"[ERROR]: {error}", err=True)
        return False

    def emptyline(self) -> bool:
        return False

    def default(self, line: str) -> None:
        if line and not line.startswith("#"):
            self.play(line)

    def do_shell(self, line: str) -> None:
        """shell COMMAND, or !COMMAND: run it by the hosts' shell."""
        self.play(f"shell {line}")

    def play(self, line: str) -> None:
        """A module and its arguments, or a command for the shell."""
        from opsplay.cli.ansible_adhoc import shown
        from opsplay.cli.single_module import prepare_module

        run, vault, settings, folder = self.assembled()
        module, _, arguments = line.partition(" ")
        if run.catalog.find(module) is None and "{{" not in module:
            module, arguments = "shell", line
        flags = {**self.flags, "module": module, "arguments": arguments}
        prepared = prepare_module(run, vault, self.pattern, flags, folder, "Ansible Shell")
        shown(prepared, settings, module, False, None)

    def do_cd(self, pattern: str) -> None:
        """cd PATTERN: the hosts to go on with; without one: all."""
        self.enter(pattern.strip() or "all")

    def do_list(self, what: str) -> None:
        """list: the hosts. list groups: the groups of the inventory."""
        names = list(self.assembled()[0].inventory.groups) if what.strip() == "groups" else self.hosts
        click.echo("\n".join(names))

    def change(self, name: str, text: str) -> None:
        """Set a flag; without a value: show it. Raises ValueError for one that is no number."""
        flag = NUMBERS.get(name, name)
        if not text.strip():
            click.echo(f"{name} is {self.flags.get(flag) or 'not set'}")
            return
        value: object = text.strip()
        if name in SWITCHES:
            value = str(value).lower() in YES
        elif name in NUMBERS:
            value = int(str(value))
        self.flags[flag] = value
        self.enter(self.pattern)

    def do_exit(self, _: str) -> bool:
        """Leave the console."""
        return True

    do_EOF = do_exit


def _setter(name: str) -> Any:
    def do(self: Console, text: str) -> None:
        self.change(name, text)

    do.__doc__ = f"{name} VALUE: set it; without a value: show it."
    return do


for _name in (*SWITCHES, *WORDS, *NUMBERS):
    setattr(Console, f"do_{_name}", _setter(_name))
