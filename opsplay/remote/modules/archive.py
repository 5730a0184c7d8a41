"""Pack files and folders of the host into an archive."""

import os

from opsplay.remote.content import View
from opsplay.remote.file_attributes import KEYS, apply_attributes, desired_attributes, observe_attributes
from opsplay.remote.packing import Selection, pack, same_content
from opsplay.remote.spec import Choice, Flag, Listing, ModuleFailure, Path, Spec, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SPEC = Spec(
    args={
        "path": Listing(elements=Path(), required=True, text="What to pack: paths and globs."),
        "dest": Path(text="The archive; not needed to pack a single file."),
        "format": Choice("bz2", "gz", "tar", "xz", "zip", default="gz", text="How to pack."),
        "exclude_path": Listing(default=[], elements=Path(), text="Paths and globs of path to leave out."),
        "exclusion_patterns": Listing(elements=Path(), text="Globs for names inside folders to leave out."),
        "force_archive": Flag(default=False, text="Make an archive of a single file, too."),
        "remove": Flag(default=False, text="Remove what was packed."),
    },
    returns={"dest": Text(), "dest_state": Text(), "archived": Listing(), "missing": Listing(), "expanded_paths": Listing(),
             "expanded_exclude_paths": Listing(), "arcroot": Text(), "state": Text()},
    examples=("archive: {path: /var/log/app, dest: /backup/app.tgz}",),
    file_arguments=True,
)


def act(system: "System", args: "Args") -> "Dict[str, Any]":
    chosen = Selection(system, args)
    dest = _destination(args, chosen)
    result = {"arcroot": chosen.root, "expanded_paths": chosen.expanded, "expanded_exclude_paths": chosen.excluded,
              "missing": chosen.missing, "dest": dest}  # type: Dict[str, Any]
    members = chosen.members(dest)
    result["archived"] = [path for path, _ in members if not os.path.isdir(path)]
    if not members and not os.path.exists(dest):
        raise ModuleFailure("no source paths were found", **result)
    result["changed"] = _packed(system, args, chosen, members, dest)
    result["changed"] = _dressed(system, args, dest) or result["changed"]
    if args.remove and chosen.found:
        result["changed"] = True
        if not system.check:
            _remove(system, chosen, dest)
    result["dest_state"] = _state(args, chosen, dest)
    result["state"] = result["dest_state"]
    if system.diff and result["changed"]:
        result["diff"] = {"before": "", "after": "".join(name + "\n" for _, name in members), "after_header": dest}
    return result


def _destination(args: "Args", chosen: "Selection") -> "str":
    if args.dest:
        return str(args.dest)
    if len(chosen.found) == 1 and not chosen.is_archive:
        return "%s.%s" % (chosen.found[0], args.format)
    raise ModuleFailure("Error, must specify \"dest\" when archiving multiple files or trees")


def _packed(system: "System", args: "Args", chosen: "Selection", members: "Any", dest: "str") -> "bool":
    """Packs into a private file first; an archive that already holds the same is left alone."""
    if not members:
        return False
    path = os.path.join(system.temporary(), "archive")
    pack(path, args.format, members, chosen.is_archive)
    if os.path.isfile(dest) and same_content(path, dest, args.format, chosen.is_archive):
        return False
    if not system.check:
        with View(path, None) as data:
            system.write(dest, data, unsafe=bool(args.unsafe_writes), links="follow")
    return True


def _dressed(system: "System", args: "Args", dest: "str") -> "bool":
    if system.lstat(dest) is None:
        return False
    observed = observe_attributes(system, dest, attributes=bool(args.attributes))
    wanted = desired_attributes(system, args, dest, observed)
    differing = {key: wanted[key] for key in KEYS if key in wanted and wanted[key] != observed.get(key)}
    if differing and not system.check:
        apply_attributes(system, dest, differing)
    return bool(differing)


def _remove(system: "System", chosen: "Selection", dest: "str") -> "None":
    for path in chosen.found:
        if os.path.realpath(path) == os.path.realpath(dest):
            continue
        try:
            if os.path.isdir(path) and not os.path.islink(path):
                system.rmtree(path)
            else:
                system.remove(path)
        except OSError as error:
            raise ModuleFailure("Error deleting %s: %s" % (path, error.strerror), dest=dest)


def _state(args: "Args", chosen: "Selection", dest: "str") -> "str":
    if not os.path.exists(dest):
        return "absent"
    if not chosen.is_archive:
        return "compress"
    return "incomplete" if chosen.missing else "archive"
