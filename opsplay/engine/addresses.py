"""Addresses: from a host's connection variables, settings and the command line to where and how to connect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from opsplay.errors import Fault, OpsError
from opsplay.settings import Settings
from opsplay.transport.protocol import Address, Become
from opsplay.truth import is_true
from opsplay.variables.store import Options

Read = Callable[..., Any]


def address_for(
    host: str,
    read: Read,
    keywords: Mapping[str, Any],
    settings: Settings,
    options: Options,
    implicit_local: bool = False,
) -> Address:
    """`read(*names)` gives the first of the variables that is set, rendered; keywords are the task's in force."""

    def first(*candidates: Any, default: Any = None) -> Any:
        return next((item for item in candidates if item is not None), default)

    connection = str(
        first(
            read("ansible_connection"),
            "local" if implicit_local else None,
            keywords.get("connection"),
            options.connection,
            settings.transport,
        )
    )
    common = first(read("ansible_ssh_common_args"), options.ssh_common_args, settings.ssh_common_args)
    extra = first(read("ansible_ssh_extra_args"), options.ssh_extra_args, settings.ssh_extra_args)
    base = first(read("ansible_ssh_args"), settings.ssh_args)
    checking = first(read("ansible_host_key_checking", "ansible_ssh_host_key_checking"), settings.host_key_checking)
    connection = connection.rpartition(".")[2]
    port = first(read("ansible_port", "ansible_ssh_port"), keywords.get("port"), settings.remote_port)
    return Address(
        host=host,
        connection=connection,
        hostname=str(first(read("ansible_host", "ansible_ssh_host"), host)),
        port=int(port) if port is not None else None,
        user=_text(
            first(
                read("ansible_user", "ansible_ssh_user"),
                options.remote_user,
                keywords.get("remote_user"),
                settings.remote_user,
            )
        ),
        password=_text(
            first(read("ansible_password", "ansible_ssh_pass", "ansible_ssh_password"), options.connection_password)
        ),
        private_key_file=_text(
            first(
                read("ansible_private_key_file", "ansible_ssh_private_key_file"),
                options.private_key_file,
                settings.private_key_file,
            )
        ),
        private_key_passphrase=_text(read("ansible_private_key_passphrase", "ansible_ssh_private_key_passphrase")),
        ssh_args=" ".join(str(part) for part in (base, common, extra) if part),
        host_key_checking=is_true(checking),
        known_hosts_file=_text(read("ansible_ssh_known_hosts_file", "ansible_known_hosts_file")),
        timeout=float(first(read("ansible_timeout", "ansible_ssh_timeout"), options.timeout, settings.timeout)),
        python=str(first(read("ansible_python_interpreter"), settings.interpreter_python)),
        shell=str(first(read("ansible_shell_executable"), settings.executable)),
        folder=_text(read("playbook_dir")) if connection == "local" else None,
    )


def become_for(read: Read, keywords: Mapping[str, Any], settings: Settings, options: Options) -> Become | None:
    """Whom to become, or None. Raises OpsError for a method that is not there."""

    def first(*candidates: Any) -> Any:
        return next((item for item in candidates if item is not None), None)

    wanted = first(read("ansible_become"), keywords.get("become"), options.become, settings.become)
    if not is_true(wanted):
        return None
    method = str(
        first(
            read("ansible_become_method"), keywords.get("become_method"), options.become_method, settings.become_method
        )
    ).rpartition(".")[2]
    if method not in ("sudo", "su", "doas"):
        raise OpsError(
            "unknown-become-method",
            f"become_method {method} is not there; hosts are Unix hosts",
            remedy="Use sudo, su or doas.",
            fault=Fault.CONTENT,
        )
    password = first(
        read("ansible_become_password", "ansible_become_pass", f"ansible_{method}_password", f"ansible_{method}_pass"),
        options.become_password,
    )
    return Become(
        user=str(
            first(
                read("ansible_become_user", f"ansible_{method}_user"),
                keywords.get("become_user"),
                options.become_user,
                settings.become_user,
            )
            or "root"
        ),
        method=method,
        password=_text(password),
        flags=_text(
            first(
                read("ansible_become_flags", f"ansible_{method}_flags"),
                keywords.get("become_flags"),
                settings.become_flags,
            )
        ),
        exe=_text(
            first(read("ansible_become_exe", f"ansible_{method}_exe"), keywords.get("become_exe"), settings.become_exe)
        ),
        chdir=_text(read("ansible_sudo_chdir")) if method == "sudo" else None,
        prompts=_texts(read("ansible_su_prompt_l10n")) if method == "su" else (),
    )


def _texts(value: Any) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value or ()
    return tuple(str(part).strip() for part in parts)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
