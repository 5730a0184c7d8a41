"""Owns the command group `opsplay vault`: create, edit, view, encrypt, decrypt, rekey, encrypt_string."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from opsplay.cli.completing import FILE
from opsplay.cli.vault_options import ask, load_secrets, vault_options
from opsplay.errors import Fault, OpsError

if TYPE_CHECKING:
    from opsplay.settings import Settings
    from opsplay.vault.secrets import VaultSecrets

encrypt_id = click.option("--encrypt-vault-id", metavar="ID", help="The vault id to encrypt with, of several.")
output_option = click.option("--output", metavar="FILE", help="Write here, not back to the file; - is the terminal.")


@click.group("vault")
def vault() -> None:
    """Encrypt files and values; read and change them without leaving plaintext behind."""


def _settings() -> Settings:
    from opsplay.settings import load_settings

    return load_settings()


def _secrets(settings: Settings, options: dict[str, Any], confirm: bool = False) -> VaultSecrets:
    return load_secrets(
        settings,
        options["vault_ids"],
        options["vault_password_files"],
        options["ask_vault_pass"],
        prompt=True,
        confirm=confirm,
    )


def say(text: str) -> None:
    """To people only: the output may be piped into a file."""
    if sys.stdout.isatty():
        click.echo(text, err=True)


def put(data: bytes, output: str | None) -> None:
    from opsplay.vault.files import write_file

    if output in (None, "-"):
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        write_file(str(output), data)


def one_output(files: tuple[str, ...], output: str | None) -> None:
    if output and len(files) > 1:
        message = "--output takes one input file"
        raise OpsError("bad-usage", message, None, "Name one file, or leave --output out.", fault=Fault.USAGE)


@vault.command()
@click.argument("file", type=FILE)
@encrypt_id
@click.option("--skip-tty-check", is_flag=True, help="Start the editor even without a terminal.")
@vault_options
def create(file: str, encrypt_vault_id: str | None, skip_tty_check: bool, **options: Any) -> None:
    """Write a new encrypted file in the editor."""
    from opsplay.vault.edit import create_vault

    if not skip_tty_check and not sys.stdout.isatty():
        remedy = "Use --skip-tty-check, or: opsplay vault encrypt < FILE"
        raise OpsError("no-terminal", "an editor needs a terminal", None, remedy, fault=Fault.USAGE)
    settings = _settings()
    create_vault(file, _secrets(settings, options, confirm=True), encrypt_vault_id or settings.vault_encrypt_identity)


@vault.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@vault_options
def edit(files: tuple[str, ...], **options: Any) -> None:
    """Change encrypted files in the editor; plaintext is kept in memory only."""
    from opsplay.vault.edit import edit_vault

    secrets = _secrets(_settings(), options)
    for file in files:
        say("Changed." if edit_vault(file, secrets) else "Nothing was changed.")


@vault.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@vault_options
def view(files: tuple[str, ...], **options: Any) -> None:
    """Print encrypted files; through a pager at a terminal."""
    from opsplay.vault.files import decrypted, read_file

    secrets = _secrets(_settings(), options)
    for file in files:
        plaintext = decrypted(sys.stdin.buffer.read() if file == "-" else read_file(file), secrets, file)[0]
        if sys.stdout.isatty():
            click.echo_via_pager(plaintext.decode("utf-8", "replace"))
        else:
            put(plaintext, None)


@vault.command()
@click.argument("files", nargs=-1, type=FILE)
@output_option
@encrypt_id
@vault_options
def encrypt(files: tuple[str, ...], output: str | None, encrypt_vault_id: str | None, **options: Any) -> None:
    """Encrypt files in place, or stdin to stdout."""
    from opsplay.vault.files import encrypted, read_file

    one_output(files, output)
    settings = _settings()
    secrets = _secrets(settings, options, confirm=True)
    vault_id = encrypt_vault_id or settings.vault_encrypt_identity
    for file in files or ("-",):
        data = sys.stdin.buffer.read() if file == "-" else read_file(file)
        put(encrypted(data, secrets, vault_id, file), output or file)
    say("Encryption successful")


@vault.command()
@click.argument("files", nargs=-1, type=FILE)
@output_option
@vault_options
def decrypt(files: tuple[str, ...], output: str | None, **options: Any) -> None:
    """Decrypt files in place, or stdin to stdout."""
    from opsplay.vault.files import decrypted, read_file

    one_output(files, output)
    secrets = _secrets(_settings(), options)
    for file in files or ("-",):
        data = sys.stdin.buffer.read() if file == "-" else read_file(file)
        put(decrypted(data, secrets, file)[0], output or file)
    say("Decryption successful")


@vault.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--new-vault-id", metavar="ID@SOURCE", help="The new id and where its password comes from.")
@click.option("--new-vault-password-file", metavar="FILE", help="A file with the new password.")
@encrypt_id
@vault_options
def rekey(
    files: tuple[str, ...],
    new_vault_id: str | None,
    new_vault_password_file: str | None,
    encrypt_vault_id: str | None,
    **options: Any,
) -> None:
    """Encrypt files anew under another password."""
    from opsplay.vault.files import rekey_file
    from opsplay.vault.secrets import VaultSecrets

    if new_vault_id and new_vault_password_file:
        raise click.UsageError("argument --new-vault-password-file: not allowed with argument --new-vault-id")
    settings = _settings()
    secrets = _secrets(settings, options)
    source = new_vault_id or new_vault_password_file or "prompt_ask_vault_pass"
    identity = encrypt_vault_id or settings.vault_encrypt_identity or settings.vault_identity
    new = VaultSecrets.load([source], ask, default_id=identity, confirm=True, salt=settings.vault_encrypt_salt)
    for file in files:
        rekey_file(file, secrets, new.secrets[0])
    say("Rekey successful")


@vault.command("encrypt_string")
@click.argument("strings", nargs=-1)
@click.option("-n", "--name", "names", multiple=True, help="The variable's name; once for each string.")
@click.option("--stdin-name", metavar="NAME", help="The name of the value read from stdin.")
@click.option("-p", "--prompt", is_flag=True, help="Ask for the value.")
@click.option("--show-input", is_flag=True, help="Show what is typed.")
@output_option
@encrypt_id
@vault_options
def encrypt_string(
    strings: tuple[str, ...],
    names: tuple[str, ...],
    stdin_name: str | None,
    prompt: bool,
    show_input: bool,
    output: str | None,
    encrypt_vault_id: str | None,
    **options: Any,
) -> None:
    """Print values as `NAME: !vault |`, to be pasted into YAML."""
    from opsplay.vault.files import vaulted_string

    settings = _settings()
    secrets = _secrets(settings, options, confirm=True)
    values = [(name, text.encode()) for name, text in zip_names(names, strings)]
    if prompt:
        name = (
            names[len(strings)]
            if len(names) > len(strings)
            else click.prompt("Variable name (enter for no name)", default="", show_default=False)
        )
        values.append((name or None, click.prompt("String to encrypt", hide_input=not show_input).encode()))
    if stdin_name or "-" in strings or not values:
        values = [pair for pair in values if pair[1] != b"-"]
        values.append((stdin_name, sys.stdin.buffer.read()))
    vault_id = encrypt_vault_id or settings.vault_encrypt_identity
    text = "\n".join(vaulted_string(value, secrets, vault_id, name) for name, value in values) + "\n"
    put(text.encode(), output)
    say("Encryption successful")


def zip_names(names: tuple[str, ...], strings: tuple[str, ...]) -> list[tuple[str | None, str]]:
    """Each string with its name, None where there are fewer names."""
    padded = [*names, *([None] * len(strings))]
    return list(zip(padded, strings, strict=False))


vault.add_command(encrypt_string, "encrypt-string")
