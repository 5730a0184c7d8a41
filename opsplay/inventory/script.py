"""Inventory scripts: an executable that prints groups as JSON for --list, and a host's variables for --host."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import Any

from opsplay.errors import OpsError, Where
from opsplay.inventory.builder import InventoryBuilder
from opsplay.inventory.hostnames import check_host_name
from opsplay.templating.layer import VarLayer
from opsplay.templating.values import compile_plain

MOST_ANSWER = 64 * 1024 * 1024


def read_script(path: str, builder: InventoryBuilder) -> None:
    """Adds what an executable prints to the builder."""
    if not os.access(path, os.X_OK):
        raise _trouble("script-not-executable", "it starts with #! but is not executable", path, f"chmod +x {path}")
    answer = _ask(path, ["--list"], builder.settings.script_timeout)
    meta = answer.pop("_meta", None)
    title = f"inventory script {os.path.basename(path)}"
    where = Where(path)
    for group, data in answer.items():
        _group(str(group), data, builder, title, where)
    variables = _host_variables(path, meta, builder)
    for name, values in variables.items():
        if name in builder.hosts:  # a host that is only in _meta belongs to no group, and does not count
            builder.set_host_vars(name, _layer(title, values, where, f"the variables of host {name}"))


def _host_variables(path: str, meta: Any, builder: InventoryBuilder) -> dict[str, Any]:
    """`_meta.hostvars`, or an answer to --host for every host that the script named."""
    if isinstance(meta, dict):
        found = meta.get("hostvars", {})
        if not isinstance(found, dict):
            raise _trouble("script-bad-answer", "_meta.hostvars is no mapping", path, "Print {} where there are none.")
        return {str(name): values for name, values in found.items()}
    mine = [name for name, draft in builder.hosts.items() if draft.where is not None and draft.where.path == path]
    return {name: _ask(path, ["--host", name], builder.settings.script_timeout, empty=True) for name in mine}


def _group(name: str, data: Any, builder: InventoryBuilder, title: str, where: Where) -> None:
    group = builder.add_group(name, where)
    if isinstance(data, dict) and not data.keys() & {"hosts", "vars", "children"}:
        data = {"hosts": [name], "vars": data}
    elif isinstance(data, list):
        data = {"hosts": data}
    if not isinstance(data, dict):
        raise _trouble("script-bad-answer", f'group "{name}" is neither a mapping nor a list', where.path,
                       'Print {"hosts": [...], "vars": {...}, "children": [...]}.')  # fmt: skip
    for host in _names(data.get("hosts"), name, where):
        builder.add_host(check_host_name(host, where), group, where)
    builder.set_group_vars(group, _layer(f"{title} [{name}]", data.get("vars") or {}, where, f'vars of group "{name}"'))
    for child in _names(data.get("children"), name, where):
        builder.add_child(group, builder.add_group(child, where), where)


def _names(value: Any, group: str, where: Where) -> list[str]:
    if value is None:
        return []
    if isinstance(value, (list, dict)) and all(isinstance(item, str) for item in value):
        return list(value)
    raise _trouble("script-bad-answer", f'hosts and children of group "{group}" are lists of names', where.path,
                   "Print lists of names.")  # fmt: skip


def _layer(title: str, values: Any, where: Where, what: str) -> VarLayer:
    if not isinstance(values, dict):
        raise _trouble("script-bad-answer", f"{what} are no mapping", where.path, "Print a JSON object.")
    compiled = {str(name): compile_plain(value, where) for name, value in values.items()}
    return VarLayer(title, compiled, dict.fromkeys(compiled, where))


def _ask(path: str, arguments: list[str], seconds: float, empty: bool = False) -> dict[str, Any]:
    printed = _run(path, arguments, seconds)
    if empty and not printed.strip():
        return {}
    try:
        answer = json.loads(printed)
    except (ValueError, RecursionError) as error:
        shown = printed[:60].decode("utf-8", "replace").splitlines()[:1] or ["nothing"]
        message = f"{' '.join(arguments)} printed no JSON ({error}): {shown[0]}"
        raise _trouble("script-bad-answer", message, path, f"Run it by hand: {path} --list") from None
    if not isinstance(answer, dict):
        raise _trouble("script-bad-answer", "--list printed no JSON object", path, "Print a mapping of groups.")
    return answer


def _run(path: str, arguments: list[str], seconds: float) -> bytes:
    """What the script prints; it and its children are ended when they take too long."""
    try:
        process = subprocess.Popen(
            [os.path.abspath(path), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        message = f"cannot be run: {error.strerror}"
        raise _trouble("script-failed", message, path, "Check its #! line.") from None
    try:
        printed, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        message = f"{' '.join(arguments)} took longer than {seconds:g} s"
        raise _trouble("script-timeout", message, path, "Make it answer faster, or cache what it fetches.") from None
    if process.returncode:
        last = said.decode("utf-8", "replace").strip().splitlines()[-1:] or ["it said nothing"]
        message = f"{' '.join(arguments)} ended with {process.returncode}: {last[0][:300]}"
        raise _trouble("script-failed", message, path, f"Run it by hand: {path} --list")
    if len(printed) > MOST_ANSWER:
        raise _trouble("script-bad-answer", "it printed more than 64 MiB", path, "Print less.")
    return printed


def _trouble(code: str, message: str, path: str, remedy: str) -> OpsError:
    return OpsError(f"inventory-{code}", message, Where(path), remedy)
