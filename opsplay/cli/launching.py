"""Launching: from command-line flags to a prepared run; what run, exec and the shims share."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from opsplay.cli.asking import ask_operator
from opsplay.cli.vault_options import warn
from opsplay.engine.launch import assemble, parse_extra
from opsplay.engine.run import Run
from opsplay.errors import Fault, OpsError
from opsplay.settings import Settings, load_settings
from opsplay.variables.store import Options
from opsplay.vault.secrets import VaultSecrets

DEFAULT_INVENTORIES = ("inventories/lab", "/etc/ansible/hosts")


def settings_for(flags: Mapping[str, Any], settings: Settings | None = None) -> Settings:
    settings = settings or load_settings()
    changes: dict[str, Any] = {}
    if flags.get("forks"):
        changes["forks"] = flags["forks"]
    if flags.get("verbose"):
        changes["verbosity"] = max(settings.verbosity, flags["verbose"])
    return settings.with_(**changes) if changes else settings


def vault_for(flags: Mapping[str, Any], settings: Settings) -> VaultSecrets:
    """Passwords from --vault-id, files, the settings and a prompt."""
    ids = [*settings.vault_identity_list, *flags.get("vault_id", ()), *flags.get("vault_password_file", ())]
    if settings.vault_password_file:
        ids.append(settings.vault_password_file)
    if flags.get("ask_vault_pass") or settings.ask_vault_pass:
        ids.append(f"{settings.vault_identity}@prompt")
    return VaultSecrets.load(ids, ask_password, default_id=settings.vault_identity, match_ids=settings.vault_id_match, warn=warn)


def ask_password(prompt: str) -> str:
    import getpass

    if not sys.stdin or not (sys.stdin.isatty() or Path("/dev/tty").exists()):
        raise OpsError(
            "no-terminal",
            "a password is needed and there is no terminal to ask at",
            remedy="Give it by a file.",
            fault=Fault.USAGE,
        )
    try:
        return getpass.getpass(prompt)
    except EOFError:
        raise OpsError(
            "no-answer", "a password is needed and none was typed", remedy="Give it by a file.", fault=Fault.USAGE
        ) from None


def password(flags: Mapping[str, Any], settings: Settings, kind: str, prompt: str) -> str | None:
    """The login or become password: from a prompt or a file."""
    name = "pass" if kind == "connection" else "become_pass"
    file = flags.get(f"{kind}_password_file") or getattr(settings, f"{kind}_password_file")
    if flags.get(f"ask_{name}") or getattr(settings, f"ask_{name}" if kind == "connection" else "become_ask_pass"):
        return ask_password(prompt)
    if file:
        from opsplay.vault.passwords import password_of

        return password_of(kind, str(file), None, False).decode()
    return None


def playbook_paths(names: Sequence[str], settings: Settings) -> tuple[str, ...]:
    """Playbooks are files, or NAMESPACE.COLLECTION.PLAYBOOK."""
    from opsplay.model.collection_places import collection_playbook

    bases = ["collections", *settings.collections_path]
    return tuple(name if Path(name).exists() else str(collection_playbook(name, bases) or name) for name in names)


def options_for(flags: Mapping[str, Any], settings: Settings) -> Options:
    login = password(flags, settings, "connection", "SSH password: ")
    become = password(flags, settings, "become", "BECOME password: ")
    return Options(
        check=bool(flags.get("check")), diff=bool(flags.get("diff")) or settings.diff_always,
        tags=split(flags.get("tags") or settings.tags_run) or ("all",), skip_tags=split(flags.get("skip_tags") or settings.tags_skip),
        limit=flags.get("limit"), inventory=inventories(flags, settings), start_at=flags.get("start_at_task"), step=bool(flags.get("step")),
        force_handlers=bool(flags.get("force_handlers")),
        max_fail=flags.get("max_fail") or settings.max_fail,
        run_pending_handlers=bool(flags.get("run_pending_handlers")) or settings.run_pending_handlers, flush_cache=bool(flags.get("flush_cache")), become=flags.get("become"),
        become_user=flags.get("become_user"), become_method=flags.get("become_method"), connection=flags.get("connection"),
        remote_user=flags.get("remote_user"), timeout=flags.get("timeout"), private_key_file=flags.get("private_key_file"),
        ssh_common_args=flags.get("ssh_common_args"), ssh_extra_args=flags.get("ssh_extra_args"), connection_password=login,
        become_password=become if become is not None else login if flags.get("ask_become_pass") else None,
    )  # fmt: skip


def split(items: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(part.strip() for item in items or () for part in item.split(",") if part.strip())


def inventories(flags: Mapping[str, Any], settings: Settings) -> tuple[str, ...]:
    chosen = tuple(flags.get("inventory") or ()) or settings.inventory
    return chosen or tuple(path for path in DEFAULT_INVENTORIES if Path(path).exists())[:1]


def run_for(flags: Mapping[str, Any], settings: Settings, playbook_dir: Path | None = None) -> tuple[Run, VaultSecrets]:
    vault = vault_for(flags, settings)
    extra = parse_extra(flags.get("extra_vars") or (), vault)
    options = options_for(flags, settings)
    return assemble(settings, options, extra, vault, ask_operator, None, playbook_dir), vault
