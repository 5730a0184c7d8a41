"""Template files: what the `template` action and lookup render. Their text is trusted, what they read is data."""

from __future__ import annotations

import ast
import datetime
import os
import pwd
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jinja2 import FileSystemLoader
from jinja2.exceptions import TemplateSyntaxError

from opsplay.errors import OpsError, Where
from opsplay.source.text_file import open_vaulted
from opsplay.templating.environment import TemplateEnvironment
from opsplay.templating.failures import TemplateFailed
from opsplay.templating.program import Program, load, syntax_error
from opsplay.templating.scope import OverlayScope, Scope
from opsplay.templating.template import Template, template_or_text
from opsplay.templating.undefined import Marker

if TYPE_CHECKING:
    from opsplay.templating.templar import Templar

SYNTAX = (
    "block_start_string", "block_end_string", "variable_start_string", "variable_end_string", "comment_start_string",
    "comment_end_string", "line_statement_prefix", "line_comment_prefix", "trim_blocks", "lstrip_blocks",
    "newline_sequence", "keep_trailing_newline",
)  # fmt: skip
NEWLINES = {"\\n": "\n", "\\r": "\r", "\\r\\n": "\r\n", "\n": "\n", "\r": "\r", "\r\n": "\r\n"}
FIELDS = {
    "{{": "{", "}}": "}", "{file}": "{{ template_path }}", "{host}": "{{ template_host }}", "{uid}": "{{ template_uid }}",
}  # fmt: skip
FIELD = re.compile("|".join(map(re.escape, FIELDS)))
HEADER = re.compile(r"#jinja2:(.*)(?:\n|\Z)")


def render_file(templar: Templar, path: str, scope: Scope, options: Mapping[str, Any]) -> str:
    """Renders the file at a path. `searchpath` lists further folders for include and import."""
    return str(file_value(templar, path, scope, options))


def file_value(templar: Templar, path: str, scope: Scope, options: Mapping[str, Any], as_text: bool = True) -> Any:
    """The same; without `as_text` a file that is a single expression keeps the expression's type."""
    with open(path, "rb") as stream:
        text = open_vaulted(stream.read(), path, templar.vault).decode("utf-8", "surrogateescape")  # type: ignore[arg-type]
    options = {"searchpath": [], **options}
    names = about(path, options.get("destpath"))
    names["ansible_managed"] = managed(templar, names, scope)
    return text_value(templar, text, OverlayScope(scope, names), path, options, as_text)


def render_text(templar: Templar, text: str, scope: Scope, path: str | None, options: Mapping[str, Any]) -> str:
    """Renders text with the rules of template files."""
    return str(text_value(templar, text, scope, path, options, True))


def text_value(templar: Templar, text: str, scope: Scope, path: str | None, options: Mapping[str, Any], as_text: bool) -> Any:
    header = HEADER.match(text)
    syntax = {name: value for name, value in options.items() if name in SYNTAX and value is not None}
    if header:
        text = text[header.end() :]
        syntax |= header_options(header[1])
    newline = NEWLINES.get(str(syntax.pop("newline_sequence", "\n")))
    if newline is None:
        raise TemplateFailed("newline_sequence needs to be one of: \\n, \\r or \\r\\n", Where(path or "<template>"))
    environment = environment_for(templar, syntax, newline, _folders(path, options.get("searchpath") or ()))
    return _rendered(environment, text, scope, path, 1 if header else 0, as_text)


def _folders(path: str | None, searchpath: Sequence[str]) -> tuple[str, ...]:
    own = (os.path.dirname(os.path.abspath(path)),) if path else ()
    return tuple(dict.fromkeys([*own, *searchpath]))


def environment_for(
    templar: Templar, syntax: dict[str, Any], newline: str, folders: tuple[str, ...]
) -> TemplateEnvironment:
    key = (tuple(sorted(syntax.items())), newline, folders)
    known: dict[Any, TemplateEnvironment] = templar.file_environments
    if key not in known:
        loader = FileSystemLoader(folders, followlinks=True) if folders else None
        options = {"newline_sequence": newline, "loader": loader, "finalize": defined, **syntax}
        known[key] = TemplateEnvironment(templar, keep_backslashes=False, **options)
        templar.equip(known[key])
    return known[key]


def _rendered(environment: TemplateEnvironment, text: str, scope: Scope, path: str | None, skipped: int, as_text: bool) -> Any:
    name = path or "<template>"
    try:
        program = environment.templar.file_program(environment, text, name, as_text)
        value = environment.templar.run(program, scope)
        return program.text(value) if as_text else value
    except TemplateSyntaxError as error:
        raise syntax_error(error, Where(error.filename or name, error.lineno + skipped)) from None
    except OpsError as error:
        if error.where is None or (error.where.path == name and not error.where.line):
            error.where = Where(name)
        raise


def defined(value: Any) -> Any:
    """Raises for an undefined value where it is written, so that the error has that line."""
    if isinstance(value, Marker):
        raise value.error
    return value


def compile_file(environment: TemplateEnvironment, text: str, name: str, as_text: bool) -> Program:
    newlines = 0 if environment.keep_trailing_newline else len(text) - len(text.rstrip("\n"))
    program = Program(environment, None, newlines, True)
    program.as_text = as_text
    return load(program, environment._parse(text, None, name), name)


def header_options(text: str) -> dict[str, Any]:
    """`#jinja2: trim_blocks: "True", lstrip_blocks: True` in a file's first line."""
    found: dict[str, Any] = {}
    for pair in text.split(","):
        name, colon, value = pair.partition(":")
        if not colon:
            raise TemplateFailed(f"failed to parse the #jinja2: line. Missing key-value separator in {pair.strip()!r}", remedy='Write NAME: VALUE, as in trim_blocks: "True".')
        if name.strip() not in SYNTAX:
            raise TemplateFailed(f"the #jinja2: line names no option of Jinja: {name.strip()!r}")
        found[name.strip()] = _literal(value.strip())
    return found


def _literal(text: str) -> Any:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = text
    return value.lower() == "true" if value in ("True", "False", "true", "false") else value


def about(path: str, destpath: str | None = None) -> dict[str, Any]:
    """The variables that a template file knows about itself."""
    status = os.stat(path)
    try:
        owner = pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        owner = str(status.st_uid)
    names: dict[str, Any] = {
        "template_host": os.uname().nodename,
        "template_path": path,
        "template_fullpath": os.path.abspath(path),
        "template_mtime": datetime.datetime.fromtimestamp(status.st_mtime),
        "template_uid": owner,
        "template_run_date": datetime.datetime.now(),
    }
    if destpath is not None:
        names["template_destpath"] = destpath
    return names


def managed(templar: Templar, names: Mapping[str, Any], scope: Scope) -> Template | str:
    """`ansible_managed`: the variable where it is set, else the setting: a date format, and then a template.

    What the file itself is called gets into the text by variables: neither a date format nor a template is read in it.
    """
    own = templar.resolve("ansible_managed", scope)
    if isinstance(own, str):
        return own
    text = str(getattr(templar.settings, "ansible_managed", None) or "Ansible managed")
    filled = FIELD.sub(lambda found: FIELDS.get(found[0], found[0]), text)
    dated: str = names["template_mtime"].strftime(filled)
    return template_or_text(dated)
