"""The host's half of copying a folder: makes folders and links, says which files differ, writes those that came along."""

from opsplay.remote.copied_tree import Tree
from opsplay.remote.spec import Flag, Listing, Path, Raw, Spec, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SPEC = Spec(
    args={
        "dest": Path(required=True, text="The folder to fill."),
        "folders": Listing(default=[], elements=Raw(), text="path, mode of each folder, outer ones first; \"\" is dest itself."),
        "files": Listing(default=[], elements=Raw(), text="path, sha1, mode, and size where its content is in the body."),
        "links": Listing(default=[], elements=Raw(), text="path and target."),
        "directory_mode": Raw(), "mode": Raw(), "owner": Text(), "group": Text(), "attributes": Text(),
        "unsafe_writes": Flag(default=False), "backup": Flag(default=False), "force": Flag(default=True),
        "follow": Flag(default=False), "validate": Text(),
    },
)


def act(system: "System", args: "Args") -> "Dict[str, Any]":
    tree = Tree(system, args)
    for entry in args.folders:
        tree.folder(entry)
    for entry in args.links:
        tree.link(entry)
    offset = 0
    for entry in args.files:
        size = entry.get("size")
        data = (system.body or b"")[offset:offset + size] if size is not None else None
        offset += size or 0
        tree.file(entry, data)
    return {"changed": bool(tree.changed), "needed": tree.needed, "dest": args.dest, "diff": tree.diffs}
