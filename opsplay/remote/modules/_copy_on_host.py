"""copy with remote_src: a file or folder of the host to another place there."""

import hashlib
import os
import stat

from opsplay.remote.copied_tree import Tree
from opsplay.remote.modules import _copy
from opsplay.remote.perform import perform_inside
from opsplay.remote.spec import Args, Flag, ModuleFailure, Path, Raw, Spec, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from opsplay.remote.system import System

SPEC = Spec(
    args={
        "src": Path(required=True), "dest": Path(required=True), "backup": Flag(default=False), "force": Flag(default=True),
        "follow": Flag(default=False), "local_follow": Flag(default=True), "validate": Text(), "directory_mode": Raw(),
        "checksum": Text(),
    },
    file_arguments=True,
)


def act(system: "System", args: "Args") -> "Dict[str, Any]":
    found = system.stat(args.src)
    if found is None:
        raise ModuleFailure("Source %s not found" % args.src, src=args.src)
    if not stat.S_ISDIR(found.st_mode) and not stat.S_ISREG(found.st_mode):
        raise ModuleFailure("Source %s is not a file" % args.src, src=args.src)
    if not stat.S_ISDIR(found.st_mode):
        return perform_inside(_copy, system, _file_arguments(args))
    dest = args.dest
    if not args.src.endswith("/"):
        dest = os.path.join(dest, os.path.basename(args.src))
    tree = Tree(system, Args(args, dest=dest))
    _fill(system, tree, args.src.rstrip("/") or "/", "", args.local_follow)
    result = {"changed": bool(tree.changed), "dest": dest, "src": args.src}
    if system.diff:
        result["diff"] = tree.diffs
    return result


def _file_arguments(args: "Args") -> "Args":
    given = {name: argument.default for name, argument in _copy.SPEC.args.items()}
    given.update((name, args[name]) for name in given if name in args)
    return Args(given, source="host", name=os.path.basename(args.src))


def _fill(system: "System", tree: "Tree", source: "str", below: "str", follow: "bool") -> "None":
    """One folder after the other, so that a copy into itself would go on for ever: that is refused."""
    if os.path.realpath(source) == os.path.realpath(tree.args.dest):
        raise ModuleFailure("cannot copy %s into itself" % tree.args.src, src=tree.args.src)
    preserve = tree.args.mode == "preserve"
    tree.folder({"path": below, "mode": _mode(source) if preserve else None})
    for name in system.listdir(source):
        path, inner = os.path.join(source, name), os.path.join(below, name)
        if os.path.islink(path) and not follow:
            tree.link({"path": inner, "target": system.readlink(path)})
        elif os.path.isdir(path):
            _fill(system, tree, path, inner, follow)
        elif os.path.isfile(path):
            data = system.read(path)
            tree.file({"path": inner, "sha1": hashlib.sha1(data).hexdigest(), "mode": _mode(path)}, data)


def _mode(path: "str") -> "str":
    return "%04o" % stat.S_IMODE(os.stat(path).st_mode)
