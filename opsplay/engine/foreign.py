"""Modules of others: by Ansible's documented protocols, through the kept interpreter, in a private folder of the host."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsplay.engine.results import skipped
from opsplay.errors import OpsError
from opsplay.foreign.bundle import Bundle, Shelf, make_bundle
from opsplay.foreign.style import (
    ARGUMENTS_PLACEHOLDER,
    PLACEHOLDER,
    PYTHON_PLACEHOLDER,
    ForeignFile,
    Style,
    is_binary,
    read_foreign,
)
from opsplay.model.catalog import Verb
from opsplay.variables.magic import ANSIBLE_VERSION

if TYPE_CHECKING:
    from opsplay.engine.attempt import Attempt


async def run_foreign(attempt: Attempt, verb: Verb, raw: Mapping[str, Any]) -> dict[str, Any]:
    """The module's result. Raises OpsError for a file that cannot be run here."""
    file = foreign_file(verb.path, Path(verb.path).stat().st_mtime_ns)
    refuse(attempt, verb, file)
    if attempt.check and not file.knows_check_mode:
        message = f"remote module ({verb.name}) does not support check mode"
        return skipped(message) | {"msg": message}
    arguments = {**raw, **internal_arguments(attempt, verb)}
    if file.style is Style.PYTHON:
        bundle = bundle_for(attempt, verb, file)
        body, args = bundle.data, python_arguments(verb, bundle, arguments)
    else:
        body, args = file.code, file_arguments(attempt, verb, file, arguments)
    args["digest"] = hashlib.sha256(body).hexdigest()
    return await sent(attempt, args, body)


async def sent(attempt: Attempt, args: dict[str, Any], body: bytes) -> dict[str, Any]:
    """The result; the file itself travels once to each interpreter."""
    background = attempt.background()
    if background is not None:
        return await attempt.module("_foreign", args, body, background=background)
    result = await attempt.module("_foreign", args)
    return await attempt.module("_foreign", args, body) if result.get("needs_body") else result


@lru_cache(maxsize=256)
def foreign_file(path: str, changed: int) -> ForeignFile:
    return read_foreign(path)


def refuse(attempt: Attempt, verb: Verb, file: ForeignFile) -> None:
    if file.style is Style.POWERSHELL:
        raise OpsError("windows-module", f"{verb.name} ({file.path}) is a module for Windows; hosts are Unix hosts", attempt.task.where,
                       "Use a module written for Unix.")  # fmt: skip


# -- arguments ---------------------------------------------------------------------------------------------------


def internal_arguments(attempt: Attempt, verb: Verb) -> dict[str, Any]:
    """What Ansible tells every module about the task, under documented names."""
    settings = attempt.run.settings
    return {
        "_ansible_check_mode": attempt.check, "_ansible_diff": attempt.diff, "_ansible_no_log": bool(attempt.work.no_log),
        "_ansible_debug": False, "_ansible_verbosity": settings.verbosity, "_ansible_version": ANSIBLE_VERSION["full"],
        "_ansible_module_name": verb.name, "_ansible_syslog_facility": "LOG_USER", "_ansible_keep_remote_files": False,
        "_ansible_selinux_special_fs": ["fuse", "nfs", "vboxsf", "ramfs", "9p", "vfat"], "_ansible_socket": None,
        "_ansible_shell_executable": settings.executable,
        "_ansible_remote_tmp": settings.remote_tmp, "_ansible_tmpdir": None, "_ansible_ignore_unknown_opts": False,
        "_ansible_target_log_info": None, "_ansible_tracebacks_for": [],
    }  # fmt: skip


def python_arguments(verb: Verb, bundle: Bundle, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": verb.name, "style": "python", "python_name": bundle.name,
        "arguments": as_json({"ANSIBLE_MODULE_ARGS": arguments}),
    }  # fmt: skip


def file_arguments(attempt: Attempt, verb: Verb, file: ForeignFile, arguments: Mapping[str, Any]) -> dict[str, Any]:
    text = as_words(arguments) if file.style is Style.WORDS else as_json(arguments)
    marks = {
        PLACEHOLDER.decode(): as_json(arguments), "<<ANSIBLE_VERSION>>": repr(ANSIBLE_VERSION["full"]),
        f'"{ARGUMENTS_PLACEHOLDER.decode()}"': repr(as_json(arguments)), ARGUMENTS_PLACEHOLDER.decode(): as_json(arguments),
        "<<SELINUX_SPECIAL_FILESYSTEMS>>": "fuse,nfs,vboxsf,ramfs,9p,vfat",
    }  # fmt: skip
    return {
        "name": Path(file.path).name, "style": str(file.style), "arguments": text, "interpreter": interpreter(attempt, file),
        "placeholders": {mark: value for mark, value in marks.items() if mark.encode() in file.code},
    }  # fmt: skip


def as_json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, default=str)


def as_words(values: Mapping[str, Any]) -> str:
    """key=value words that a POSIX shell can read, too."""
    return " ".join(f"{key}={shlex.quote(value if isinstance(value, str) else str(value))}" for key, value in values.items())


def interpreter(attempt: Attempt, file: ForeignFile) -> list[str]:
    """The words before the file's name: ansible_NAME_interpreter, else what its first line says; none for a binary."""
    if not file.interpreter:
        if is_binary(file.code) or file.path.endswith(".py"):
            return [] if is_binary(file.code) else ["python"]
        raise OpsError("no-interpreter-line", f"module ({file.path}) is missing interpreter line", attempt.task.where,
                       "Begin the file with #! and the path of its interpreter, e.g. #!/bin/sh")  # fmt: skip
    base = file.interpreter.rpartition("/")[2]
    extra = shlex.split(file.interpreter_arguments)
    if base.startswith("python"):
        return ["python", *extra]
    named = attempt.run.templar.resolve_plain(f"ansible_{base}_interpreter", attempt.scope)
    return [*(shlex.split(str(named)) if named else [file.interpreter]), *extra]


# -- Python modules ----------------------------------------------------------------------------------------------


def bundle_for(attempt: Attempt, verb: Verb, file: ForeignFile) -> Bundle:
    """The zip. Raises OpsError where ansible-core or an import is missing."""
    try:
        return made(verb.path, hashlib.sha256(file.code).hexdigest(), verb.name, utils_folders(attempt), attempt.run.catalog.collections_path)
    except OpsError as error:
        error.where = error.where or attempt.task.where
        if error.code == "needs-ansible-core":
            error.message = f"{verb.name} ({verb.path}): {error.message}"
        raise


@lru_cache(maxsize=256)
def made(path: str, digest: str, name: str, utils: tuple[str, ...], collections: tuple[str, ...]) -> Bundle:
    code = foreign_file(path, Path(path).stat().st_mtime_ns).code
    code = code.replace(PYTHON_PLACEHOLDER, b"from ansible.module_utils.basic import *")
    return make_bundle(path, code, name, Shelf(utils, collections))


def utils_folders(attempt: Attempt) -> tuple[str, ...]:
    """Where module_utils of the user's own are: the role and its parents, all roles, the playbook, the settings."""
    play_run = attempt.work.walk.play_run
    role = attempt.task.role
    roles = [*((role, *role.parents) if role else ()), *play_run.play.role_refs]
    folders = [str(Path(ref.path) / "module_utils") for ref in roles]
    folders += [str(Path(play_run.vars.playbook_dir) / "module_utils"), *attempt.run.settings.module_utils]
    return tuple(dict.fromkeys(str(Path(folder).expanduser()) for folder in folders))



