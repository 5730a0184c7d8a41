"""Ansible's programs as opsplay runs them: the same flags, the output that scripts grep for, the same exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from opsplay import __version__, signals
from opsplay.cli.run_options import (
    connection_options,
    inventory_options,
    listing_options,
    mode_options,
    tag_options,
    variable_options,
)
from opsplay.errors import Fault, OpsError, OpsErrors

CONTEXT = {"help_option_names": ["-h", "--help"]}
INTERRUPTED = 99


@click.command("ansible-playbook", context_settings=CONTEXT)
@click.argument("playbooks", nargs=-1)
@inventory_options
@tag_options
@variable_options
@mode_options
@connection_options
@listing_options
@click.option("-M", "--module-path", multiple=True, help="Folders with modules.")
@click.option("--version", is_flag=True)
def playbook(playbooks: tuple[str, ...], version: bool, module_path: tuple[str, ...], **flags: Any) -> int:
    """Run Ansible playbooks."""
    if version:
        return show_version("ansible-playbook")
    if not playbooks:
        raise click.UsageError("You must specify a playbook file to run")
    from opsplay.cli.launching import playbook_paths, run_for
    from opsplay.engine.launch import prepare

    settings = compatible_settings(flags, module_path)
    playbooks = playbook_paths(playbooks, settings)
    work, vault = run_for(flags, settings, Path(playbooks[0]).parent.absolute())
    prepared = prepare(work, playbooks, vault)
    if any(flags[name] for name in ("list_hosts", "list_tasks", "list_tags", "syntax_check")):
        from opsplay.cli.listings import show_listing

        return show_listing(prepared, flags)
    return run_shown(prepared, settings)


def run_shown(prepared: Any, settings: Any) -> int:
    from opsplay.cli.listening import with_asked_for
    from opsplay.engine.launch import execute
    from opsplay.report.ansible_compat import AnsibleOutput
    from opsplay.report.output import Output
    from opsplay.report.run_stats import RunStats

    environ = {
        **os.environ,
        **({"NO_COLOR": "1"} if settings.nocolor or (not settings.force_color and not sys.stdout.isatty()) else {}),
    }
    listener = AnsibleOutput(Output(sys.stdout, environ), Output(sys.stderr, environ), verbosity=settings.verbosity)
    if settings.show_custom_stats:
        listener.custom_stats = RunStats()
    code = execute(prepared, with_asked_for(settings, [listener]))
    return INTERRUPTED if code == 130 else code


def compatible_settings(flags: dict[str, Any], module_path: tuple[str, ...] = ()) -> Any:
    """Settings with Ansible's own defaults where ours are stricter."""
    from opsplay.cli.launching import settings_for
    from opsplay.settings import load_settings

    settings = load_settings()
    strict = "ANSIBLE_DUPLICATE_YAML_DICT_KEY" in os.environ or settings.duplicate_dict_key != "error"
    changes: dict[str, Any] = {"compatible": True}
    if not strict:
        changes["duplicate_dict_key"] = "warn"
    if module_path:
        changes["library"] = tuple(part for item in module_path for part in item.split(":"))
    return settings_for(flags, settings.with_(**changes))


def show_version(program: str) -> int:
    from opsplay.settings import load_settings
    from opsplay.variables.magic import ANSIBLE_VERSION

    settings = load_settings()
    python = sys.version.replace("\n", "")
    print(f"{program} [core {ANSIBLE_VERSION['full']}]")
    print(f"  config file = {settings.config_file}")
    print(f"  executable location = {sys.argv[0]}")
    print(f"  python version = {python} ({sys.executable})")
    print(f"  opsplay version = {__version__}")
    return 0


def program(name: str) -> Callable[..., Any]:
    """The click command of a program, imported when it is called."""
    if name == "ansible-playbook":
        return playbook
    import importlib

    module, attribute = {
        "ansible": ("opsplay.cli.ansible_adhoc", "adhoc"),
        "ansible-inventory": ("opsplay.cli.ansible_inventory", "inventory"),
        "ansible-vault": ("opsplay.cli.vault", "vault"),
        "ansible-doc": ("opsplay.cli.ansible_doc", "doc"),
        "ansible-config": ("opsplay.cli.ansible_config", "config"),
        "ansible-console": ("opsplay.cli.ansible_console", "console"),
        "ansible-pull": ("opsplay.cli.ansible_pull", "pull"),
        "ansible-galaxy": ("opsplay.cli.ansible_galaxy", "galaxy"),
    }[name]
    return getattr(importlib.import_module(module), attribute)  # type: ignore[no-any-return]


def main() -> int:
    name, arguments = sys.argv[1], sys.argv[2:]
    sys.argv = [name, *arguments]
    code = guarded(name, arguments)
    signals.ignore()
    return code


def guarded(name: str, arguments: list[str]) -> int:
    """Run the program; Ansible's exit codes: 1 errors, 4 content that cannot be parsed, 5 wrong usage, 250 our own fault."""
    try:
        if arguments == ["--version"]:
            return show_version(name)
        command = program(name)
        signals.raise_interrupt()
        code = command.main(arguments, prog_name=name, standalone_mode=False)  # type: ignore[attr-defined]
        sys.stdout.flush()
        return int(code or 0)
    except OpsErrors as errors:
        for error in errors.errors:
            complain(error)
        return exit_code(errors)
    except OpsError as error:
        complain(error)
        return exit_code(error)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        sys.stderr.write(f"usage: {name}\n{name}: error: {error.format_message()}\n")
        return 2
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("[ERROR]: User interrupted execution\n")
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141
    except Exception as error:
        if signals.came():  # an interrupt may come out as another error
            return INTERRUPTED
        from opsplay.cli.main import our_fault

        our_fault(error)
        return 250


def complain(error: OpsError) -> None:
    from opsplay.errors import source_line

    message = (
        f"YAML parsing failed: {error.message[:1].upper()}{error.message[1:]}"
        if error.code in UNREADABLE
        else error.message
    )
    lines = [f"[ERROR]: {message}"]
    if error.where:
        lines.append(f"Origin: {error.where}\n")
        text = source_line(error.where)
        if text is not None:
            lines.append(f"{error.where.line} {text}")
            lines.append(
                " " * (len(str(error.where.line)) + error.where.column) + "^ column " + str(error.where.column)
            )
    if error.remedy:
        lines.append(error.remedy)
    sys.stderr.write("\n".join(lines) + "\n")


OPTIONS = frozenset({"vault-which-id"})
UNREADABLE = frozenset({"yaml-syntax", "yaml-unclosed-quote", "yaml-unquoted-template", "yaml-bad-key"})
PARSING = frozenset({"unknown-handler", "playbook-not-found", "vault-no-password", "file-not-found", "tasks-not-found", "bad-setting"})


def exit_code(error: OpsError) -> int:
    if error.fault is Fault.USAGE and error.code not in PARSING:
        return 5 if error.code.startswith("bad-option") or error.code in OPTIONS else 1
    return 4 if error.fault is Fault.CONTENT and error.where is not None and error.code not in PARSING else 1


if __name__ == "__main__":
    sys.exit(main())
