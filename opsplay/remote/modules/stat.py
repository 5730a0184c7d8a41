"""Say what is at a path: kind, permissions, times, checksum, MIME type, attributes."""

import os

from opsplay.remote.file_facts import described
from opsplay.remote.spec import Choice, Dictionary, Flag, Path, Spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

ALGORITHMS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")

SPEC = Spec(
    args={
        "path": Path(required=True, aliases=("dest", "name"), text="What to look at."),
        "follow": Flag(default=False, text="Look at a link's target instead of the link."),
        "get_checksum": Flag(default=True, text="Compute the checksum of a regular file."),
        "checksum_algorithm": Choice(*ALGORITHMS, default="sha1", aliases=("checksum", "checksum_algo"),
                                     text="How to compute it."),
        "get_mime": Flag(default=True, aliases=("mime", "mime_type", "mime-type"), text="Ask `file` for the type."),
        "get_attributes": Flag(default=True, aliases=("attr", "attributes"), text="Ask `lsattr` for the flags."),
        "get_selinux_context": Flag(default=False, text="Give the SELinux context."),
    },
    returns={"stat": Dictionary(text="exists, and where it does: path, mode, kind, owner, times, ...")},
    examples=("stat: {path: /etc/hosts, checksum_algorithm: sha256}",),
)


def read(system: "System", args: "Args") -> "Dict[str, Any]":
    found = system.stat(args.path) if args.follow else system.lstat(args.path)
    if found is None:
        return {"stat": {"exists": False}}
    facts = dict(described(args.path, found), exists=True)
    facts.update(readable=os.access(args.path, os.R_OK), writeable=os.access(args.path, os.W_OK),
                 executable=os.access(args.path, os.X_OK))
    facts.update((name, getattr(found, "st_" + name)) for name in ("blocks", "rdev") if hasattr(found, "st_" + name))
    facts.update(block_size=found.st_blksize, device_type=facts.pop("rdev", 0))
    if facts["islnk"]:
        facts.update(lnk_source=os.path.realpath(args.path), lnk_target=system.readlink(args.path))
    if facts["isreg"] and args.get_checksum and facts["readable"]:
        facts["checksum"] = system.digest(args.path, args.checksum_algorithm)
    if args.get_mime:
        facts.update(_mime(system, args))
    if args.get_attributes:
        facts.update(_attributes(system, args.path))
    if args.get_selinux_context:
        facts["selinux_context"] = _selinux(args.path)
    return {"stat": facts}


def _mime(system: "System", args: "Args") -> "Dict[str, str]":
    unknown = {"mimetype": "unknown", "charset": "unknown"}
    program = system.which("file")
    if program is None:
        return unknown
    run = system.run([program] + (["-L"] if args.follow else []) + ["--mime-type", "--mime-encoding", "--", args.path])
    if run.rc != 0:
        return unknown
    kind, _, charset = run.stdout.rpartition(": ")[2].strip().partition(";")
    return {"mimetype": kind.strip() or "unknown", "charset": charset.partition("=")[2].strip() or "unknown"}


def _attributes(system: "System", path: str) -> "Dict[str, Any]":
    """What lsattr says: version, the flags as letters and by name. A file system without flags has none."""
    from opsplay.remote.file_flags import FLAG_NAMES

    program = system.which("lsattr")
    run = system.run([program, "-vd", path]) if program else None
    words = run.stdout.split() if run is not None and run.rc == 0 else []
    if len(words) < 2:
        return {"attributes": [], "attr_flags": "", "version": None}
    letters = words[1].replace("-", "")
    return {"version": words[0], "attr_flags": letters,
            "attributes": [FLAG_NAMES.get(letter, letter) for letter in letters]}


def _selinux(path: str) -> "Any":
    try:
        return os.getxattr(path, "security.selinux", follow_symlinks=False).rstrip(b"\0").decode("utf-8", "replace").split(":", 3)
    except (OSError, AttributeError):
        return None
