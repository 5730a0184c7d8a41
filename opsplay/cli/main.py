"""The command `opsplay`: its groups are loaded when they are called, so that --version and completion stay quick."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from typing import Any

import click

from opsplay import __version__, signals

COMMANDS = {
    "run": ("opsplay.cli.run", "run", "Run playbooks against an inventory."),
    "exec": ("opsplay.cli.exec", "exec_", "Run one module on hosts."),
    "inventory": ("opsplay.cli.inventory", "inventory", "List hosts, groups and their variables."),
    "vault": ("opsplay.cli.vault", "vault", "Encrypt and decrypt files and values."),
    "verify": ("opsplay.cli.verify", "verify", "Prove with testinfra that hosts are as they should be."),
    "history": ("opsplay.cli.history", "history", "List and show what was run."),
    "lab": ("opsplay.cli.lab", "lab", "Real hosts to rehearse on."),
    "doc": ("opsplay.cli.doc", "doc", "Explain modules and actions."),
    "explain": ("opsplay.cli.explain", "explain", "Show every place that sets a variable, and who wins."),
    "lint": ("opsplay.cli.lint", "lint", "Find what is wrong in playbooks, all of it at once."),
    "shims": ("opsplay.cli.shims", "shims", "Write ansible-playbook and its siblings as drop-ins."),
}


class Commands(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[name]
        command = getattr(importlib.import_module(module), attribute)
        signals.raise_interrupt()
        return command  # type: ignore[no-any-return]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        from opsplay.errors import did_you_mean

        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"there is no command {args[0]!r}. {did_you_mean(args[0], set(COMMANDS))}")
        return super().resolve_command(ctx, args)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="opsplay")
def cli() -> None:
    """Run Ansible's playbooks fast, in windows, with a journal of what was done."""


def main(arguments: list[str] | None = None) -> None:
    """Entry point: errors of ours as a text, never a traceback; the documented exit codes."""
    fill_standard_streams()
    code = guarded(arguments)
    signals.ignore()
    sys.exit(code)


def fill_standard_streams() -> None:
    """Where a standard stream is closed (`>&-`), nothing we open may take its number: it would get what is meant for nobody."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115


def guarded(arguments: list[str] | None = None) -> int:
    from opsplay.errors import EXIT_CODES, OpsError

    try:
        code = cli.main(arguments, prog_name="opsplay", standalone_mode=False)
        sys.stdout.flush()
        return int(code or 0)
    except OpsError as error:
        complain(error.render())
        return EXIT_CODES[error.fault]
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.Abort:
        complain("error: interrupted")
        return 130
    except click.ClickException as error:
        error.show()
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return reader_gone()
    except SystemExit:
        if type(sys.stdout).__name__ == "PacifyFlushWrapper":  # click's way to say that the pipe broke
            return reader_gone()
        raise
    except OSError as error:
        if error.errno != errno.ENOSPC:
            return our_fault(error)
        complain(
            f"error: disk-full\n\n  {error}\n\n  Make room where the output or opsplay's state goes, and run again."
        )
        silence(sys.stdout)
        return 3
    except Exception as error:
        return 130 if signals.came() else our_fault(error)  # an interrupt may come out as another error


def reader_gone() -> int:
    silence(sys.stdout)
    return 141


def silence(stream: Any) -> None:
    """The stream leads nowhere from now on, so that the flush at exit does not fail as well."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError):
        pass


def complain(text: str) -> None:
    try:
        sys.stderr.write(text.rstrip("\n") + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        pass


def our_fault(error: Exception) -> int:
    """Exit 3, with the traceback in a private file and its name on the screen."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="opsplay-fault-", suffix=".log", delete=False) as log:
        log.write("".join(traceback.format_exception(error)))
    complain(
        f"error: internal-fault\n\n  {type(error).__name__}: {error}\n\n"
        f"  This is opsplay's own fault, not your playbook's. The details are in {log.name}\n  Report it with that file."
    )
    return 3
