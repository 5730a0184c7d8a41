"""The code that a template becomes: native values, and names read where they are used."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.idtracking import VAR_LOAD_RESOLVE
from jinja2.nativetypes import NativeCodeGenerator


class LateCodeGenerator(NativeCodeGenerator):
    """Jinja reads every name at the top of a template; here a name in a branch that is not taken is never read."""

    stored: frozenset[str] = frozenset()

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:
        self.stored = stored_names(node)
        super().visit_Template(node, frame)

    def enter_frame(self, frame: Frame) -> None:
        loads = frame.symbols.loads
        late = {
            target: load for target, load in loads.items() if load[0] == VAR_LOAD_RESOLVE and load[1] not in self.stored
        }
        for target in late:
            del loads[target]
        super().enter_frame(frame)
        loads.update(late)

    def leave_frame(self, frame: Frame, with_python_scope: bool = False) -> None:
        if with_python_scope:
            return
        super().leave_frame(frame, with_python_scope)

    def visit_Name(self, node: nodes.Name, frame: Frame) -> None:
        if node.ctx == "load" and node.name not in self.stored:
            load = frame.symbols.find_load(frame.symbols.ref(node.name))
            if load is not None and load[0] == VAR_LOAD_RESOLVE:
                self.write(f"context.resolve({node.name!r})")
                return
        super().visit_Name(node, frame)

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        """`~`, with a limit on what it makes."""
        self.write("environment.joined((")
        for child in node.nodes:
            self.visit(child, frame)
            self.write(", ")
        self.write("))")

    def _output_const_repr(self, group: Iterable[Any]) -> str:
        values = list(group)
        return repr(values[0]) if len(values) == 1 else repr("".join(str(value) for value in values))

    def _output_child_to_const(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> Any:
        if not isinstance(node, (nodes.TemplateData, nodes.Const)) or getattr(node, "value", "") is None:
            raise nodes.Impossible()  # never run a filter while compiling: it may be random, or read a file
        return super()._output_child_to_const(node, frame, finalize)


def stored_names(node: nodes.Template) -> frozenset[str]:
    """Every name that the template itself may set."""
    names = {name.name for name in node.find_all(nodes.Name) if name.ctx != "load"}
    names |= {ref.name for ref in node.find_all(nodes.NSRef)}
    names |= {macro.name for macro in node.find_all(nodes.Macro)}
    names |= {load.target for load in node.find_all(nodes.Import)}
    for load in node.find_all(nodes.FromImport):
        names |= {name if isinstance(name, str) else name[1] for name in load.names}
    return frozenset(names | {"loop", "self", "super", "caller", "varargs", "kwargs"})
