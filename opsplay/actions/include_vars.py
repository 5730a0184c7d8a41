"""Read variables from files while a play runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from opsplay.actions.context import Context
from opsplay.errors import OpsError
from opsplay.remote.spec import Dictionary, Flag, Integer, Listing, Raw, Spec, Text
from opsplay.remote.spec import Path as PathArgument
from opsplay.source.nodes import MapNode
from opsplay.source.text_file import VAULT_MARK
from opsplay.source.yaml_reader import read_yaml
from opsplay.templating.layer import VarLayer, layer_from_node
from opsplay.variables.scope import merge_hash

SPEC = Spec(
    args={
        "file": PathArgument(text="One file."),
        "dir": PathArgument(text="Every file of a folder, in the order of their names."),
        "name": Text(text="Put everything under this variable."),
        "depth": Integer(default=0, text="How deep to go below dir; 0 is all the way."),
        "files_matching": Text(text="Only files whose name matches this expression."),
        "ignore_files": Raw(text="Names of files to leave out."),
        "extensions": Listing(default=("yaml", "yml", "json"), elements=Text()),
        "ignore_unknown_extensions": Flag(default=False),
        "hash_behaviour": Text(choices=("replace", "merge")),
        "free-form": Text(),
    },
    returns={"ansible_facts": Dictionary(), "ansible_included_var_files": Listing()},
    examples=["include_vars: {file: limits.yml, name: limits}"],
    exclusive=(("file", "dir"),),
    free_form="free-form",
)


async def act(context: Context, args: Any) -> dict[str, Any]:
    chosen = args.file or args["free-form"]
    if not chosen and not args.dir:
        message = "Could not find file on the Ansible Controller: no file and no dir was given"
        return {"failed": True, "changed": False, "message": message, "msg": message, "ansible_facts": {}, "ansible_included_var_files": []}
    if chosen and any(args[name] for name in ("ignore_files", "files_matching")) and not args.dir:
        raise OpsError("bad-arguments", f"{args.dir or 'include_vars'}: these options go with dir only")
    try:
        files = files_below(context, args) if args.dir else [context.find_file("vars", chosen)]
        layers = [read(context, path, args) for path in files]
    except OpsError as error:
        return {"failed": True, "changed": False, "message": error.message, "msg": error.message, "ansible_facts": {}, "ansible_included_var_files": []}
    values: dict[str, object] = {}
    for layer in layers:
        values = merge_hash(values, layer.values) if args.hash_behaviour == "merge" and not args.dir else {**values, **layer.values}
    if args.name:
        values = {args.name: values}
    if args.hash_behaviour == "merge":
        values = over_known(context, values)
    context.set_variables(values, str(chosen or args.dir))
    shown = {name: context.templar.plain(value) if not _dynamic(value) else _written(value) for name, value in values.items()}
    return {"changed": False, "ansible_facts": shown, "ansible_included_var_files": [str(path) for path in files], "_opsplay_facts_done": True,
            "_ansible_no_log": any(is_encrypted(path) for path in files)}  # fmt: skip


def is_encrypted(path: Path) -> bool:
    """What a vault file holds is not shown."""
    with path.open("rb") as file:
        return file.read(len(VAULT_MARK)) == VAULT_MARK


def over_known(context: Context, values: dict[str, object]) -> dict[str, object]:
    merged = dict(values)
    for name, value in values.items():
        known = context.scope.raw(name)
        if isinstance(known, dict) and isinstance(value, dict):
            merged[name] = merge_hash(known, value)
    return merged


def _dynamic(value: object) -> bool:
    from opsplay.templating.values import is_dynamic

    return is_dynamic(value)


def _written(value: object) -> object:
    """The value as the file has it, for the result: templates stay text."""
    if isinstance(value, dict):
        return {key: _written(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_written(item) for item in value]
    return getattr(value, "source", getattr(value, "ciphertext", value))


def files_below(context: Context, args: Any) -> list[Path]:
    base = context.find_file("vars", args.dir)
    if not base.is_dir():
        raise OpsError("not-a-folder", f"{args.dir} is not a directory" if base.exists() else f"{args.dir} directory does not exist")
    ignore = args.ignore_files or []
    ignore = ignore if isinstance(ignore, list) else str(ignore).split()
    found: list[Path] = []
    for path in sorted(item for item in base.rglob("*") if item.is_file()):
        level = len(path.relative_to(base).parts)
        if args.depth and level > args.depth:
            continue
        if path.name.startswith(".") or any(re.search(rf"{text}$", path.name) for text in ignore):
            continue
        if args.files_matching and not re.search(args.files_matching, path.name):
            continue
        if path.suffix.lstrip(".") not in args.extensions:
            if not args.ignore_unknown_extensions and not args.files_matching:
                raise OpsError("unknown-extension", f"{path} does not have a valid extension: {', '.join(args.extensions)}")
            if args.ignore_unknown_extensions:
                continue
        found.append(path)
    return sorted(found, key=lambda path: (str(path.parent), path.name))


def read(context: Context, path: Path, args: Any) -> VarLayer:
    if not args.dir and path.suffix and path.suffix.lstrip(".") not in args.extensions:
        raise OpsError("unknown-extension", f"{path} does not have a valid extension: {', '.join(args.extensions)}")
    node = read_yaml(path, vault=context.templar.vault, duplicates=context.settings.duplicate_dict_key)  # type: ignore[arg-type]
    if node is not None and not isinstance(node, MapNode):
        raise OpsError("variables-not-a-mapping", f"{path} must be stored as a dictionary/hash", node.where)
    return layer_from_node(f"include_vars {path.name}", node)
