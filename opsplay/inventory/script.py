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
from opsplay.source.json_reader import unwrapped
from opsplay.source.nodes import UnsafeText
from opsplay.templating.layer import VarLayer
from opsplay.templating.values import compile_plain

MOST_ANSWER = 64 * 1024 * 1024
MOST_SAID = 4096
PROFILE = "inventory_legacy"  # the one form that `_meta.profile` may name
NOT_JSON = "Unable to get JSON decoder for inventory script result."


def read_script(path: str, builder: InventoryBuilder) -> None:
    """Adds what an executable prints to the builder."""
    if not os.access(path, os.X_OK):
        raise _trouble("script-not-executable", "it starts with #! but is not executable", path, f"chmod +x {path}")
    answer = answer_of(run_program(path, ["--list"], builder), path)
    read_answer(answer, f"inventory script {os.path.basename(path)}", Where(path), builder)


def read_answer(answer: dict[str, Any], title: str, where: Where, builder: InventoryBuilder) -> None:
    """Adds groups and hosts; where there is no `_meta`, the script at `where` is asked for each host."""
    meta = answer.pop("_meta", None)
    _check_meta(meta, where.path)
    for group, data in answer.items():
        _group(str(group), data, builder, title, where)
    for name, values in _host_variables(where.path, meta, builder).items():
        if name in builder.hosts:  # a host that is only in _meta belongs to no group, and does not count
            builder.set_host_vars(name, _layer(title, values, where, f"the variables of host {name}"))


def _host_variables(path: str, meta: Any, builder: InventoryBuilder) -> dict[str, Any]:
    """`_meta.hostvars`, or an answer to --host for every host that the script named."""
    if isinstance(meta, dict) and "hostvars" in meta:
        return {str(name): values for name, values in meta["hostvars"].items()}
    mine = [name for name, draft in builder.hosts.items() if draft.where is not None and draft.where.path == path]
    return {name: _of_host(name, run_program(path, ["--host", name], builder), path) for name in mine}


def _check_meta(meta: Any, path: str) -> None:
    if meta is None:
        return
    _expect(meta, dict, "_meta", path)
    _expect(meta.get("hostvars", {}), dict, "_meta.hostvars", path)
    profile = meta.get("profile", PROFILE)
    _expect(profile, str, "_meta.profile", path)
    if not profile.startswith("inventory_"):
        raise _bad(f"Non-inventory profile {profile!r} is not allowed.", path)
    if profile != PROFILE:
        raise _bad(f"{NOT_JSON} Unknown profile name {profile!r}.", path)


def _group(name: str, data: Any, builder: InventoryBuilder, title: str, where: Where) -> None:
    group = builder.add_group(name, where)
    if not isinstance(data, dict):
        if not isinstance(data, list):
            builder.notice(f"{where}: Group {name!r} was converted to 'dict' from {type(data).__name__!r}")
        data = {"hosts": data}
    elif not data.keys() & {"hosts", "vars", "children"}:
        builder.notice(
            f"{where}: Treating malformed group {name!r} as the sole host of that group. Variables provided in this manner cannot be templated."
        )
        data = {"hosts": [name], "vars": {key: _as_data(value) for key, value in data.items()}}
    for host in _names(data.get("hosts", []), f"{name}.hosts", where):
        builder.add_host(check_host_name(host, where), group, where)
    variables = data.get("vars", {})
    _expect(variables, dict, f"{name}.vars", where.path)
    builder.set_group_vars(group, _layer(f"{title} [{name}]", variables, where, f'vars of group "{name}"'))
    for child in _names(data.get("children", []), f"{name}.children", where):
        builder.add_child(group, builder.add_group(child, where), where)


def _names(value: Any, what: str, where: Where) -> list[str]:
    _expect(value, list, what, where.path)
    if all(isinstance(item, str) for item in value):
        return list(value)
    raise _bad(f"Value contains {what!r} with an item that is no name.", where.path)


def _as_data(value: Any) -> Any:
    """The value with nothing in it that could be evaluated."""
    if isinstance(value, dict):
        return {key: _as_data(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_data(item) for item in value]
    return UnsafeText(value) if isinstance(value, str) else value


def _layer(title: str, values: Any, where: Where, what: str) -> VarLayer:
    if not isinstance(values, dict):
        message = f"Invalid data from file, expected dictionary and got: {type(values).__name__} ({what})"
        raise _trouble("script-bad-answer", message, where.path, "Print a JSON object.")
    compiled = {str(name): compile_plain(value, where) for name, value in values.items()}
    return VarLayer(title, compiled, dict.fromkeys(compiled, where))


def answer_of(printed: bytes, path: str) -> dict[str, Any]:
    """What --list printed. Raises OpsError where it is no mapping in JSON."""
    try:
        text = printed.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _bad(
            f"Inventory script result contained characters that cannot be interpreted as UTF-8 ({error}).", path
        ) from None
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError) as error:
        shown = printed[:60].decode("utf-8", "replace").splitlines()[:1] or ["nothing"]
        raise _bad(f"{NOT_JSON} Value could not be parsed as JSON ({error}): {shown[0]}", path) from None
    try:
        groups = unwrapped(answer)
    except (ValueError, RecursionError) as error:
        raise _bad(f"Inventory script result could not be parsed as JSON ({error}).", path) from None
    _expect(groups, dict, "", path)
    assert isinstance(groups, dict)
    return groups


def _of_host(name: str, printed: bytes, path: str) -> Any:
    """What --host printed; nothing means no variables."""
    if not printed.strip():
        return {}
    try:
        return unwrapped(json.loads(printed))
    except (ValueError, RecursionError) as error:
        raise _bad(f"Inventory script result for host {name!r} could not be parsed as JSON ({error}).", path) from None


def _expect(value: Any, kind: type, what: str, path: str) -> None:
    if not isinstance(value, kind):
        place = f"contains {what!r} which is" if what else "is"
        raise _bad(f"{NOT_JSON} Value {place} {type(value).__name__!r} instead of {kind.__name__!r}.", path)


def run_program(path: str, arguments: list[str], builder: InventoryBuilder) -> bytes:
    """What the script prints; it and its children are ended when they take too long."""
    seconds = builder.settings.script_timeout
    try:
        process = subprocess.Popen(
            [os.path.abspath(path), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        message = f"Failed to execute inventory script command {path!r}: {error.strerror}"
        raise _trouble("script-failed", message, path, "Check its #! line.") from None
    try:
        printed, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        message = f"{' '.join(arguments)} took longer than {seconds:g} s"
        raise _trouble("script-timeout", message, path, "Make it answer faster, or cache what it fetches.") from None
    _check_end(process.returncode, printed, said.decode("utf-8", "replace").strip()[:MOST_SAID], path, builder)
    return printed


def _check_end(code: int, printed: bytes, said: str, path: str, builder: InventoryBuilder) -> None:
    if code:
        message = f"Inventory script returned non-zero exit code {code}: {said or 'it said nothing'}"
        raise _trouble("script-failed", message, path, f"Run it by hand: {path} --list")
    if said and builder.settings.script_stderr:
        builder.notice(f"Inventory script {path} said: {said}")
    if len(printed) > MOST_ANSWER:
        raise _trouble("script-bad-answer", "it printed more than 64 MiB", path, "Print less.")


def _bad(message: str, path: str) -> OpsError:
    return _trouble("script-bad-answer", message, path, f"Run it by hand: {path} --list")


def _trouble(code: str, message: str, path: str, remedy: str) -> OpsError:
    return OpsError(f"inventory-{code}", message, Where(path), remedy)
