"""Vault options: --vault-id, --vault-password-file and --ask-vault-pass, for every command that opens vaults."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from opsplay.settings import Settings
    from opsplay.vault.secrets import VaultSecrets

Command = TypeVar("Command", bound=Callable[..., Any])


_OPTIONS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (
        ("-J", "--ask-vault-pass", "--ask-vault-password", "ask_vault_pass"),
        {"is_flag": True, "help": "Ask for the vault password."},
    ),
    (
        ("--vault-password-file", "--vault-pass-file", "vault_password_files"),
        {"multiple": True, "metavar": "FILE", "help": "A file with the vault password, or a script that prints it."},
    ),
    (
        ("--vault-id", "vault_ids"),
        {"multiple": True, "metavar": "ID@SOURCE", "help": "A vault id and its file, script or prompt."},
    ),
)


def vault_options(command: Command) -> Command:
    """Adds the options; the command gets vault_ids, vault_password_files and ask_vault_pass."""
    command = click.option("-v", "--verbose", count=True, expose_value=False, hidden=True)(command)
    for names, rest in _OPTIONS:
        command = click.option(*names, **rest)(command)
    return command


def ask(prompt: str) -> str:
    """Asks at the terminal, without echo."""
    import getpass

    from opsplay.errors import Fault, OpsError

    try:
        return getpass.getpass(prompt)
    except EOFError:
        raise OpsError("no-answer", "a vault password is needed and none was typed", fault=Fault.USAGE,
                       remedy="Give it by --vault-password-file or --vault-id.") from None  # fmt: skip


def warn(text: str) -> None:
    click.echo(f"[WARNING]: {text}", err=True)


def vault_sources(
    settings: Settings | None, ids: Sequence[str], files: Sequence[str], ask_pass: bool, prompt: bool = False
) -> list[str]:
    """The `ID@SOURCE` of all that settings and options give; with `prompt` a question where there is none."""
    identity = settings.vault_identity if settings else "default"
    sources = [*(settings.vault_identity_list if settings else ()), *ids]
    named = [*files, *([settings.vault_password_file] if settings and settings.vault_password_file else [])]
    sources += [f"{identity}@{name}" for name in named]
    wanted = ask_pass or bool(settings and settings.ask_vault_pass)
    if wanted or (prompt and not sources):
        sources.append(f"{identity}@prompt_ask_vault_pass")
    return sources


def load_secrets(
    settings: Settings | None,
    ids: Sequence[str] = (),
    files: Sequence[str] = (),
    ask_pass: bool = False,
    prompt: bool = False,
    confirm: bool = False,
) -> VaultSecrets:
    """The vault secrets of a run. Asks only where asked to, or with `prompt` where nothing else was given."""
    from opsplay.vault.secrets import VaultSecrets

    return VaultSecrets.load(
        vault_sources(settings, ids, files, ask_pass, prompt),
        ask,
        default_id=settings.vault_identity if settings else "default",
        match_ids=bool(settings and settings.vault_id_match),
        confirm=confirm,
        salt=settings.vault_encrypt_salt if settings else None,
        warn=warn,
    )
