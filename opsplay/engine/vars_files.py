"""vars_files: a play's files of variables, one for each entry, the first that is there of a list."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from opsplay.errors import OpsError, Where
from opsplay.plan.play_values import place
from opsplay.source.nodes import ListNode, Node
from opsplay.templating.failures import Undefined
from opsplay.templating.layer import VarLayer, layer_from_node
from opsplay.templating.template import Template

if TYPE_CHECKING:
    from opsplay.engine.play_run import PlayRun


def load_vars_files(play_run: PlayRun, host: str, final: bool) -> None:
    """Read them for a host. Names that need facts wait for `final`. Raises OpsError for a file that is not there."""
    layers: list[VarLayer] = []
    for number, entry in enumerate(play_run.play.vars_files):
        choices = entry if isinstance(entry, list) else [entry]
        layer = first_found(play_run, host, choices, final, place(play_run.play, "vars_files", number))
        if layer is not None:
            layers.append(layer)
            play_run.vars.file_layers[host] = tuple(layers)


def first_found(play_run: PlayRun, host: str, choices: list[object], final: bool, where: Where) -> VarLayer | None:
    looked: list[str] = []
    for choice in choices:
        try:
            name = str(play_run.run.templar.render(choice, play_run.run.store.scope(host, play_run.vars)))
        except Undefined:
            if final and len(choices) == 1:
                raise
            if len(choices) > 1:
                continue
            return None
        for folder in (Path(play_run.vars.playbook_dir) / "vars", Path(play_run.vars.playbook_dir)):
            path = folder / name
            if path.is_file():
                return layer_of(f"vars_files {name}", play_run.workshop.read(path))
            looked.append(str(path))
    if any(isinstance(choice, Template) for choice in choices) and not final:
        return None
    raise OpsError("file-not-found", f"vars file {choices[0] if len(choices) == 1 else choices} was not found", where,
                   "Looked for:\n" + "\n".join(f"  {path}" for path in looked))  # fmt: skip


def layer_of(title: str, node: Node | None) -> VarLayer:
    """A file of variables: a mapping or, as Ansible reads it too, a list of mappings, the later ones winning."""
    if not isinstance(node, ListNode):
        return layer_from_node(title, node)
    layers = [layer_from_node(title, item) for item in node.items]
    values = {name: value for layer in layers for name, value in layer.values.items()}
    return VarLayer(title, values, {name: where for layer in layers for name, where in layer.wheres.items()})
