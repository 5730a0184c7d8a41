"""How a folder of the controller gets to a host: one question what differs, then only that, many files at a time."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsplay.actions._file_transfer import Content, send

if TYPE_CHECKING:
    from opsplay.actions.context import Context
    from opsplay.remote.spec import Args

BATCH = 1024 * 1024
SENT = ("directory_mode", "mode", "owner", "group", "attributes", "unsafe_writes", "backup", "force", "follow", "validate")


class Folder:
    """What is below a folder of the controller: folders and links as they are to be, files with their checksums."""

    def __init__(self, top: Path, follow: bool) -> None:
        self.top = top
        self.follow = follow
        self.folders: list[dict[str, Any]] = []
        self.links: list[dict[str, Any]] = []
        self.files: list[Path] = []
        self._walk(top, "", frozenset())

    def _walk(self, folder: Path, below: str, above: frozenset[tuple[int, int]]) -> None:
        found = folder.stat()
        if (found.st_dev, found.st_ino) in above:
            return  # a link back to a folder that we are in
        inner: list[tuple[Path, str]] = []
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            name = f"{below}{entry.name}"
            if entry.is_symlink() and (not self.follow or leads_nowhere(entry) or leads_back(entry, above | {(found.st_dev, found.st_ino)})):
                self.links.append({"path": name, "target": os.readlink(entry.path)})
            elif entry.is_dir():
                self.folders.append({"path": name, "mode": mode_of(entry)})
                inner.append((Path(entry.path), f"{name}/"))
            elif entry.is_file():
                self.files.append(Path(name))
        for path, name in inner:  # what lies here comes before what lies deeper
            self._walk(path, name, above | {(found.st_dev, found.st_ino)})


def leads_back(entry: os.DirEntry[str], above: frozenset[tuple[int, int]]) -> bool:
    """Whether it is a link to a folder that it lies in."""
    target = entry.stat()
    return (target.st_dev, target.st_ino) in above


def leads_nowhere(entry: os.DirEntry[str]) -> bool:
    """Whether it is a link to nothing, or to itself."""
    try:
        entry.stat()
    except OSError:
        return True
    return False


def mode_of(entry: os.DirEntry[str]) -> str:
    return f"{stat.S_IMODE(entry.stat().st_mode):04o}"


async def send_folder(context: Context, args: Args, top: Path) -> dict[str, Any]:
    """`src: dir` makes dest/dir, `src: dir/` fills dest itself."""
    dest = args.dest if args.src.endswith("/") else os.path.join(args.dest, top.name)
    folder = Folder(top, args.local_follow)
    sent = {name: args[name] for name in SENT if args.get(name) is not None} | {"dest": dest}
    found = [{"path": "", "mode": f"{stat.S_IMODE(top.stat().st_mode):04o}"}, *folder.folders]
    folders = found if args.mode == "preserve" else [{**entry, "mode": None} for entry in found]
    entries = {str(path): entry_of(context, args, top, path) for path in folder.files}
    asked = await context.module("_copy_tree", {**sent, "folders": folders, "links": folder.links, "files": list(entries.values())})
    whole = {"changed": asked["changed"], "dest": dest, "src": args.src, "diff": list(asked.pop("diff", None) or [])}
    if asked.get("failed"):
        return {**asked, "src": args.src}
    for result in [part async for part in _contents(context, args, top, sent, [entries[name] for name in asked["needed"]])]:
        whole["changed"] = whole["changed"] or result.get("changed", False)
        diff = result.get("diff") or []
        whole["diff"] += diff if isinstance(diff, list) else [diff]
        if result.get("failed"):
            return {**result, "changed": whole["changed"], "src": args.src, "dest": dest}
    if not context.diff:
        del whole["diff"]
    return whole


def entry_of(context: Context, args: Args, top: Path, path: Path) -> dict[str, Any]:
    content = Content.of_file(top / path, context, args.decrypt)
    mode = f"{stat.S_IMODE((top / path).stat().st_mode):04o}"
    return {"path": str(path), "sha1": content.sha1, "mode": mode, "length": content.size}


async def _contents(context: Context, args: Args, top: Path, sent: dict[str, Any], needed: list[dict[str, Any]]) -> Any:
    """The results of sending what the host lacks: small files together, each large one by itself."""
    large = [entry for entry in needed if entry["length"] > BATCH]
    for batch in batches([entry for entry in needed if entry["length"] <= BATCH]):
        data = [Content.of_file(top / entry["path"], context, args.decrypt).data or b"" for entry in batch]
        files = [{**entry, "size": len(part)} for entry, part in zip(batch, data, strict=True)]
        yield await context.module("_copy_tree", {**sent, "files": files}, body=b"".join(data))
    for entry in large:
        content = Content.of_file(top / entry["path"], context, args.decrypt)
        mode = entry["mode"] if args.mode == "preserve" else args.mode
        one = {**sent, "dest": os.path.join(sent["dest"], entry["path"]), "mode": mode}
        one.pop("directory_mode", None)
        yield await send(context, {name: value for name, value in one.items() if value is not None}, content)


def batches(entries: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size = 0
    for entry in entries:
        if batch and size + entry["length"] > BATCH:
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += entry["length"]
    if batch:
        yield batch
