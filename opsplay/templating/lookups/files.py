"""Lookups of files on the controller."""

from __future__ import annotations

import glob
import os.path
from collections.abc import Iterator, Mapping
from typing import Any

from opsplay.templating.failures import LookupFailed
from opsplay.templating.lookups.call import LookupCall
from opsplay.templating.scope import OverlayScope
from opsplay.templating.texts import to_text
from opsplay.truth import truth


def file(call: LookupCall) -> list[Any]:
    """The contents of files, their end stripped of white space.

    Options: rstrip=true, lstrip=false.
    """
    found = []
    for term in call.terms:
        text = call.read(call.need_file("files", term))
        text = text.lstrip() if call.flag("lstrip") else text
        found.append(text.rstrip() if call.flag("rstrip", True) else text)
    return found


def unvault(call: LookupCall) -> list[Any]:
    """The contents of files, decrypted where vault encrypted them."""
    return [call.read(call.need_file("files", term)) for term in call.terms]


def fileglob(call: LookupCall) -> list[Any]:
    """The files that a pattern matches, in one folder."""
    found: list[Any] = []
    for term in call.terms:
        folder, pattern = os.path.split(to_text(term))
        places = [folder] if os.path.isabs(folder) else _folders(call, folder)
        for place in places:
            matches = sorted(glob.glob(os.path.join(glob.escape(place), pattern)))
            paths = [path for path in matches if os.path.isfile(path)]
            if paths:
                found += paths
                break
    return found


def _folders(call: LookupCall, folder: str) -> list[str]:
    tried = [os.path.join(base, sub, folder) for base in call.search_paths() for sub in ("files", "")]
    return [place for place in tried if os.path.isdir(place)]


def first_found(call: LookupCall) -> list[Any]:
    """The first file that is there.

    Options: files, paths, skip=false.
    """
    skip = call.flag("skip") or _skips(call.terms)
    for name, subdir in _candidates(call, call.terms, call.options):
        path = call.find_file(subdir, name)
        if path is not None:
            return [path]
    if skip:
        return []
    raise LookupFailed("No file was found when using first_found.")


def _skips(terms: Any) -> bool:
    """Whether a term says that nothing may be found."""
    if isinstance(terms, Mapping):
        return bool(truth(terms.get("skip", False)))
    return isinstance(terms, list) and any(map(_skips, terms))


def _candidates(call: LookupCall, terms: list[Any], options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names, each with the folder to search."""
    subdir = call.subdir
    given = list(terms) or [dict(options)]
    for term in given:
        if isinstance(term, Mapping):
            yield from _of_parameters({**options, **term}, subdir)
        elif isinstance(term, (list, tuple)):
            yield from _candidates(call, list(term), options)
        elif isinstance(term, str):
            yield from _of_parameters({**options, "files": [term]}, subdir)
        else:
            raise TypeError(f"Invalid term supplied. A string, dict or list is required, not {type(term).__name__!r}.")
    if terms and options.get("files"):
        yield from _of_parameters(options, subdir)


def _of_parameters(options: Mapping[str, Any], subdir: str) -> Iterator[tuple[str, str]]:
    files = _split(options.get("files", []), ",;")
    paths = _split(options.get("paths", []), ",:;")
    names = [os.path.join(path, name) for path in paths for name in files] if paths else files
    for name in names if "files" in options else paths:
        yield name, subdir


def _split(value: Any, separators: str) -> list[str]:
    words = [value] if isinstance(value, str) else list(value)
    for separator in separators:
        words = [part for word in words for part in to_text(word).split(separator)]
    return [word.strip() for word in words if word.strip()]


def template(call: LookupCall) -> list[Any]:
    """Templates of the playbook or role, rendered. They are trusted text; what they give is data.

    One that is a single expression keeps the expression's type, as a value in a playbook does.

    Options: template_vars={}, convert_data=false, trim_blocks, lstrip_blocks, and the *_string options of template.
    """
    given = call.option("template_vars", {})
    names = (
        "variable_start_string", "variable_end_string", "comment_start_string", "comment_end_string",
        "block_start_string", "block_end_string", "trim_blocks", "lstrip_blocks",
    )  # fmt: skip
    syntax = {name: call.options[name] for name in names if name in call.options}
    scope = OverlayScope(call.scope, given) if given else call.scope
    paths = [call.need_file("templates", term) for term in call.terms]
    values = [call.templar.file_value(path, scope, **syntax) for path in paths]
    return [converted(value) if isinstance(value, str) and call.flag("convert_data", False) else value for value in values]


def converted(text: str) -> Any:
    """`convert_data`: what a template made that is a list or a dictionary, as such; other text as it is."""
    stripped = text.strip()
    if stripped[:1] + stripped[-1:] not in ("{}", "[]"):
        return text or None
    import ast
    import json

    for read in (json.loads, ast.literal_eval):
        try:
            found = read(stripped)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return found if isinstance(found, (dict, list)) else text
    return text


LOOKUPS = {"file": file, "fileglob": fileglob, "first_found": first_found, "template": template, "unvault": unvault}
