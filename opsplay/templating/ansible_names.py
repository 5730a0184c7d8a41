"""The few names of Ansible that plugins import (errors, LookupBase, converters), where Ansible is not installed."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

ERRORS = (
    "AnsibleError", "AnsibleFilterError", "AnsibleFilterTypeError", "AnsibleLookupError", "AnsibleOptionsError",
    "AnsibleParserError", "AnsiblePluginError", "AnsibleRuntimeError", "AnsibleTemplateError",
    "AnsibleUndefinedVariable",
)  # fmt: skip


@contextlib.contextmanager
def ansible_names() -> Iterator[None]:
    """While a plugin is imported, `ansible.errors` and the like can be imported, too.

    Where Ansible is installed, the plugin gets all of it but LookupBase: Ansible's own wants Ansible's loader.
    """
    modules = stand_ins()
    if importlib.util.find_spec("ansible") is not None:
        modules = {"ansible.plugins.lookup": modules["ansible.plugins.lookup"]}
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def stand_ins() -> dict[str, ModuleType]:
    from opsplay.templating.texts import to_text

    def to_bytes(value: Any, encoding: str = "utf-8", errors: str | None = None, nonstring: str = "") -> bytes:
        return value if isinstance(value, bytes) else to_text(value).encode(encoding, "surrogateescape")

    def text(value: Any, encoding: str = "utf-8", errors: str | None = None, nonstring: str = "") -> str:
        return to_text(value)

    converters = {"to_text": text, "to_native": text, "to_bytes": to_bytes}
    base: type[Exception] = type("AnsibleError", (Exception,), {"__init__": _keep_message})
    errors = {name: base if name == "AnsibleError" else type(name, (base,), {}) for name in ERRORS}
    contents: dict[str, dict[str, Any]] = {
        "ansible": {"__path__": []},
        "ansible.errors": errors,
        "ansible.plugins": {"__path__": []},
        "ansible.plugins.lookup": {"LookupBase": LookupBase},
        "ansible.module_utils": {"__path__": []},
        "ansible.module_utils._text": converters,
        "ansible.module_utils.common": {"__path__": []},
        "ansible.module_utils.common.text": {"__path__": []},
        "ansible.module_utils.common.text.converters": converters,
        "ansible.module_utils.six": {"string_types": (str,), "text_type": str, "integer_types": (int,)},
        "ansible.utils": {"__path__": []},
        "ansible.utils.display": {"Display": Display},
    }
    return {name: _module(name, values) for name, values in contents.items()}


def _keep_message(self: Any, message: str = "", *_: Any, **__: Any) -> None:
    Exception.__init__(self, message)
    self.message = message


def _module(name: str, values: dict[str, Any]) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(values)
    return module


class LookupBase:
    """What a lookup plugin is made from."""

    def __init__(self, loader: Any = None, templar: Any = None, **_: Any) -> None:
        self._loader = loader
        self._templar = templar
        self._declared = declared_options(type(self))
        self._direct: dict[str, Any] = {}
        self._variables: Any = getattr(templar, "available_variables", None)

    def set_options(self, var_options: Any = None, direct: Any = None, **_: Any) -> None:
        self._direct.update(direct or {})
        self._variables = var_options if var_options is not None else self._variables
        for name in self._declared:
            if not name.startswith("_"):
                self.get_option(name)  # a wrong one is told now

    def set_option(self, name: str, value: Any) -> None:
        self._direct[name] = value

    def get_option(self, name: str, hostvars: Any = None) -> Any:
        from opsplay.templating.plugin_options import value_of

        option = self._declared.get(name)
        if option is None:
            return self._direct.get(name)
        return value_of(option, self._direct, self._variables, type(self).__module__.rpartition(".")[2])

    def get_options(self, hostvars: Any = None) -> dict[str, Any]:
        return {**self._direct, **{name: self.get_option(name) for name in self._declared}}

    def has_option(self, name: str) -> bool:
        return name in self._declared or name in self._direct

    def find_file_in_search_path(self, variables: Any, subdir: str, name: str, ignore_missing: bool = False) -> Any:
        return self._loader.find_file(subdir, name) if self._loader is not None else None

    def get_basedir(self, variables: Any) -> Any:
        return variables["role_path"] if "role_path" in variables else getattr(self._loader, "basedir", ".")

    @staticmethod
    def _flatten(terms: Any) -> list[Any]:
        return [item for term in terms for item in (term if isinstance(term, (list, tuple)) else [term])]


def declared_options(kind: type) -> dict[str, Any]:
    """The options that the DOCUMENTATION beside a plugin's class names."""
    from opsplay.templating.plugin_options import documented_options

    text = getattr(sys.modules.get(kind.__module__), "DOCUMENTATION", None)
    return documented_options(text) if isinstance(text, str) else {}


class Display:
    """Swallows what plugins say for the screen."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None
