"""~ and $VARIABLES in paths and arguments, by the step's environment and then the session's."""

import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

VARIABLE = re.compile(r"\$(?:(\w+)|\{([^}]*)\})", re.ASCII)


def expand(text: "str", environment: "Dict[str, str]") -> "str":
    """The text with ~, $NAME and ${NAME} replaced; names that are not set stay as they are."""

    def value(match: "re.Match[str]") -> "str":
        name = match.group(1) or match.group(2)
        return environment.get(name, os.environ.get(name, match.group(0)))

    if "~" in text[:1] and "HOME" in environment:
        text = environment["HOME"] + text[1:] if text[1:2] in ("", "/") else text
    text = os.path.expanduser(text)
    return VARIABLE.sub(value, text) if "$" in text else text


def expand_paths(spec: "Any", args: "Dict[str, Any]", environment: "Dict[str, str]") -> "None":
    """In place: every argument that the Spec calls a path, and the items of lists of paths."""
    for name, argument in spec.args.items():
        value = args.get(name)
        if argument.kind == "path" and isinstance(value, str):
            args[name] = expand(value, environment)
        elif argument.kind == "list" and isinstance(value, list) and getattr(argument.elements, "kind", "") == "path":
            args[name] = [expand(str(item), environment) for item in value]
