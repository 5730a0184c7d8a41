"""Running a user's lookup plugin (class LookupModule) as if Ansible ran it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opsplay.templating.lookups.call import LookupCall


class CallTemplar:
    """The part of Ansible's templar that lookups use: `available_variables`; rendering is refused: terms are data."""

    def __init__(self, call: LookupCall) -> None:
        self.available_variables = call.templar.view(call.scope)

    def template(self, value: Any, **_: Any) -> Any:
        return value


def runner(plugin: Any) -> Callable[[LookupCall], list[Any]]:
    def run(call: LookupCall) -> list[Any]:
        lookup = plugin(loader=call, templar=CallTemplar(call)) if _takes_loader(plugin) else plugin()
        return list(lookup.run(call.terms, variables=call.templar.view(call.scope), **call.options))

    return run


def _takes_loader(plugin: Any) -> bool:
    return "__init__" not in vars(plugin) and any(base.__name__ == "LookupBase" for base in plugin.__mro__)
