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


def file(call: LookupCall) -> list[Any]:
    """The contents of files, their end stripped of white space."""
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
            paths = [path for path in sorted(glob.glob(os.path.join(glob.escape(place), pattern))) if os.path.isfile(path)]
            if paths:
                found += paths
                break
    return found


def _folders(call: LookupCall, folder: str) -> list[str]:
    own = call.find_file("files", folder) if folder else None
    tried = [own or "", os.path.join(call.basedir, "files", folder), os.path.join(call.basedir, folder)]
    search = getattr(call.context, "search_paths", None)
    if callable(search):
        tried = [os.path.join(base, sub, folder) for base in search() for sub in ("files", "")]
    return [place for place in tried if place and os.path.isdir(place)]


def first_found(call: LookupCall) -> list[Any]:
    """The first file that is there."""
    skip = call.flag("skip")
    candidates = list(_candidates(call, call.terms, call.options))
    for name, subdir, skips in candidates:
        skip = skip or skips
        path = call.find_file(subdir, name)
        if path is not None:
            return [path]
    if skip:
        return []
    raise LookupFailed("No file was found when using first_found.")


def _candidates(call: LookupCall, terms: list[Any], options: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """Names with the folder to search and whether nothing may be found."""
    subdir = _subdir(call)
    given = list(terms) or [dict(options)]
    for term in given:
        if isinstance(term, Mapping):
            yield from _of_parameters({**options, **term}, subdir)
        elif isinstance(term, (list, tuple)):
            yield from _candidates(call, list(term), options)
        elif isinstance(term, str):
            yield from _of_parameters({**options, "files": [term]}, subdir) if options.get("paths") else [(term, subdir, False)]
        else:
            raise TypeError(f"Invalid term supplied. A string, dict or list is required, not {type(term).__name__}.")
    if terms and options.get("files"):
        yield from _of_parameters(options, subdir)


def _of_parameters(options: Mapping[str, Any], subdir: str) -> Iterator[tuple[str, str, bool]]:
    files = _split(options.get("files", []), ",;")
    paths = _split(options.get("paths", []), ",:;")
    skip = bool(options.get("skip", False))
    names = [os.path.join(path, name) for path in paths for name in files] if paths else files
    if paths and not files:
        names = paths
    for name in names:
        yield name, subdir, skip
    if not names:
        yield "", subdir, skip


def _split(value: Any, separators: str) -> list[str]:
    words = [value] if isinstance(value, str) else list(value)
    for separator in separators:
        words = [part for word in words for part in to_text(word).split(separator)]
    return [word.strip() for word in words if word.strip()]


def _subdir(call: LookupCall) -> str:
    """The folder of the action that asks: `templates` for template, `vars` for include_vars, else `files`."""
    return str(getattr(call.context, "subdir", None) or "files")


def template(call: LookupCall) -> list[Any]:
    """Templates of the playbook or role, rendered. They are trusted text; what they give is data."""
    given = call.option("template_vars", {})
    names = (
        "variable_start_string", "variable_end_string", "comment_start_string", "comment_end_string", "block_start_string",
        "block_end_string", "trim_blocks", "lstrip_blocks",
    )  # fmt: skip
    syntax = {name: call.options[name] for name in names if name in call.options}
    scope = OverlayScope(call.scope, given) if given else call.scope
    paths = [call.need_file("templates", term) for term in call.terms]
    return [call.templar.render_file(path, scope, **syntax) for path in paths]


LOOKUPS = {"file": file, "fileglob": fileglob, "first_found": first_found, "template": template, "unvault": unvault}
