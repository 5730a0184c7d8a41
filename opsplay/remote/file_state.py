"""What is at a path, what `file` wants there instead, and how to get from one to the other."""

import datetime
import os
import stat
import time

from opsplay.remote import trusted_path
from opsplay.remote.file_attributes import KEYS, apply_attributes, desired_attributes, observe_attributes
from opsplay.remote.spec import ModuleFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Optional, Tuple

    from opsplay.remote.perform import Change
    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SHOWN_CONTENT = 1000


def observe(system: "System", args: "Args") -> "Dict[str, Any]":
    """state, src, attributes and times of the path; and what the arguments ask of it (goal, asked, below)."""
    path = bare(args.path)
    if args.state == "hard" and args.src and os.path.isdir(path):
        path = os.path.join(path, os.path.basename(args.src))  # as cp and ln take a folder
    found = system.lstat(path)
    goal = args.state or (kind(found) if found is not None else "directory" if args.recurse else "file")
    goal = "file" if goal == "hard" and not args.state else goal
    if args.src and goal not in ("link", "hard"):
        raise ModuleFailure("src option requires state to be 'link' or 'hard'", path=args.path)
    if follows(args) and found is not None and stat.S_ISLNK(found.st_mode) and _means_target(system, args, goal, path):
        path = trusted_path.resolve(path)
        found = system.lstat(path)
    before = {"state": kind(found), "goal": goal, "real": path, "src": None, "below": None, "content": None,
              "linked": None}  # type: Dict[str, Any]
    if found is not None:
        before.update(_there(system, args, path, found, goal))
    before["asked"] = _asked(system, args, before)
    if args.recurse:
        if goal != "directory":
            raise ModuleFailure("recurse option requires state to be 'directory'", path=args.path)
        before["below"] = _differing_below(system, args, path) if before["state"] == "directory" else []
    return before


def follows(args: "Args") -> "bool":
    """Whether a link at the path itself stands for what it leads to: where nothing is said, it does."""
    return args.follow is not False


def bare(path: "str") -> "str":
    if not path.strip():
        raise ModuleFailure("path is empty")
    return path.rstrip("/") or "/"


def kind(found: "Optional[os.stat_result]") -> "str":
    if found is None:
        return "absent"
    if stat.S_ISLNK(found.st_mode):
        return "link"
    if stat.S_ISDIR(found.st_mode):
        return "directory"
    return "hard" if stat.S_ISREG(found.st_mode) and found.st_nlink > 1 else "file"


def _means_target(system: "System", args: "Args", goal: "str", path: "str") -> "bool":
    """A link stands for its target, but where links are what is managed, and where folder or file is to replace it."""
    if goal in ("absent", "link", "hard"):
        return False
    target = system.stat(path)
    return target is not None or goal == "touch"


def _content(system: "System", top: "str") -> "Optional[Dict[str, List[str]]]":
    """What will be gone with a folder, for the diff; of very many only the first."""
    if not system.diff:
        return None
    found = {"directories": [], "files": []}  # type: Dict[str, List[str]]
    left = SHOWN_CONTENT
    for folder, folders, files in system.walk(top):
        folders.sort()
        for kind_of, names in (("directories", folders), ("files", sorted(files))):
            found[kind_of] += [os.path.join(folder, name) for name in names[:left]]
            left -= min(left, len(names))
        if not left:
            break
    return found


def _there(system: "System", args: "Args", path: "str", found: "os.stat_result", goal: "str") -> "Dict[str, Any]":
    known: "Dict[str, Any]" = observe_attributes(system, path, attributes=bool(args.attributes))
    known.update(size=found.st_size, atime=found.st_atime, mtime=found.st_mtime)
    if stat.S_ISLNK(found.st_mode):
        known["src"] = system.readlink(path)
        if goal == "link" and follows(args) and system.stat(path) is not None:  # its attributes are the target's
            known.update(observe_attributes(system, path, follow=True, attributes=bool(args.attributes)), through=True)
    if goal == "hard" and args.src:
        other = system.stat(args.src)
        known["linked"] = other is not None and (other.st_ino, other.st_dev) == (found.st_ino, found.st_dev)
    if goal == "absent" and stat.S_ISDIR(found.st_mode):
        known["content"] = _content(system, path)
    return known


def _asked(system: "System", args: "Args", before: "Dict[str, Any]") -> "Dict[str, Any]":
    goal = before["goal"]
    if goal == "absent":
        return {}
    if goal == "link" and args.src and before["src"] != args.src and not follows(args):
        return desired_attributes(system, args, before["real"], {"islink": True})
    if goal == "link":
        return _asked_of_target(system, args, before)
    replaced = goal == "directory" and before["state"] != "directory"
    observed = {"isdir": goal == "directory"} if before["state"] == "absent" or replaced else before
    return desired_attributes(system, args, before["real"], observed)


def _asked_of_target(system: "System", args: "Args", before: "Dict[str, Any]") -> "Dict[str, Any]":
    """With follow, the attributes asked for are those of what the link will lead to; a missing target has none."""
    if not follows(args):
        return desired_attributes(system, args, before["real"], before)
    target = os.path.join(os.path.dirname(before["real"]), args.src or before["src"] or "")
    observed = observe_attributes(system, target, follow=True)
    before.update((key, observed[key]) for key in KEYS if key in observed)
    return desired_attributes(system, args, target, observed) if observed else {}


def _differing_below(system: "System", args: "Args", top: "str") -> "List[Tuple[str, Dict[str, Any], Dict[str, Any]]]":
    """(path, what it has, what it should have) for everything below whose attributes differ."""
    wrong = []
    for path in _below(system, top, bool(args.follow)):
        now = observe_attributes(system, path, attributes=bool(args.attributes))
        wanted = desired_attributes(system, args, path, now)
        differing = {key: value for key, value in wanted.items() if now.get(key) != value}
        if now and differing:
            wrong.append((path, {key: now.get(key) for key in differing}, differing))
    return wrong


def _below(system: "System", top: "str", follow: "bool") -> "Iterator[str]":
    """All paths below. `follow`: what links lead to in place of them, as far as each link is to be trusted."""
    waiting, seen = [top], set()
    while waiting:
        for folder, folders, files in system.walk(waiting.pop()):
            for name in sorted(folders + files):
                path = os.path.join(folder, name)
                if follow and os.path.islink(path):
                    found = system.stat(path)
                    if found is None or (found.st_dev, found.st_ino) in seen:
                        continue  # it leads nowhere, or where we have been
                    seen.add((found.st_dev, found.st_ino))
                    path = trusted_path.resolve(path)
                    if stat.S_ISDIR(found.st_mode):
                        waiting.append(path)
                yield path


def wanted_state(args: "Args", before: "Dict[str, Any]") -> "Dict[str, Any]":
    goal, state, path = before["goal"], before["state"], args.path
    if goal == "file" and state not in ("file", "hard"):
        raise ModuleFailure("file (%s) is %s, cannot continue" % (path, state), path=path, state=state)
    if goal == "touch":
        if state == "link":
            raise ModuleFailure("%s is a link to nothing and is not followed" % path)
        return {} if state != "absent" else {"state": "file"}
    if goal == "directory":
        if state not in ("absent", "directory"):
            raise ModuleFailure("%s already exists as a %s" % (path, state), path=path)
        return {"state": "directory"}
    if goal == "link":
        return _wanted_link(args, before)
    return _wanted_hard(args, before) if goal == "hard" else {}


def _wanted_link(args: "Args", before: "Dict[str, Any]") -> "Dict[str, Any]":
    state, path = before["state"], args.path
    if not args.src:
        if state != "link":
            raise ModuleFailure("src is required for creating new symlinks", path=path)
        return {"state": "link"}
    target = os.path.join(os.path.dirname(before["real"]), args.src)
    if not args.force and not os.path.exists(target) and before["src"] != args.src:
        raise ModuleFailure("src file does not exist, use \"force=yes\" if you really want to create the link: %s" % target,
                            path=path, src=args.src)
    if state == "directory" and not args.force:
        raise ModuleFailure("refusing to convert from directory to symlink for %s" % path, path=path)
    if state == "directory" and os.listdir(before["real"]):
        raise ModuleFailure("the directory %s is not empty, refusing to convert it" % path, path=path)
    if state in ("file", "hard") and not args.force:
        raise ModuleFailure("refusing to convert from %s to symlink for %s" % (state, path), path=path)
    return {"state": "link", "src": args.src}


def _wanted_hard(args: "Args", before: "Dict[str, Any]") -> "Dict[str, Any]":
    if not args.src:
        raise ModuleFailure("src is required for creating new hardlinks", path=args.path)
    if not os.path.exists(args.src):
        raise ModuleFailure("src does not exist", dest=args.path, src=args.src)
    if before["state"] == "directory":
        raise ModuleFailure("refusing to convert from directory to hard link for %s" % args.path)
    if before["state"] != "absent" and not before["linked"] and not args.force:
        raise ModuleFailure("Cannot link, different hard link exists at destination", dest=args.path, src=args.src)
    return {"linked": True}


def wanted_times(args: "Args", before: "Dict[str, Any]") -> "Dict[str, Any]":
    """atime and mtime as numbers, or "now" for touch unless it is to preserve them."""
    default = "now" if before["goal"] == "touch" else "preserve"
    wanted = {}
    for key, text, form in (("atime", args.access_time, args.access_time_format),
                            ("mtime", args.modification_time, args.modification_time_format)):
        text = text or default
        if text == "now":
            wanted[key] = "now"
        elif text != "preserve":
            wanted[key] = _seconds(str(text), form)
    return wanted


def _seconds(text: "str", form: "str") -> "Any":
    try:
        return time.mktime(datetime.datetime.strptime(text, form).timetuple())
    except (ValueError, OverflowError) as error:
        raise ModuleFailure("Error while obtaining timestamp for time %s using format %s: %s" % (text, form, error))


def make_so(system: "System", args: "Args", change: "Change") -> "None":
    path, goal = change.before["real"], change.before["goal"]
    try:
        if goal == "absent":
            _remove(system, path, change.before["state"])
            return
        if goal == "directory" and "state" in change:
            _make_folders(system, path, change.before["asked"])
        elif goal == "link" and ("src" in change or "state" in change):
            _make_link(system, args.src, path, change.before["state"], system.symlink)
        elif goal == "hard" and "linked" in change:
            _make_link(system, args.src, path, change.before["state"], system.link)
        elif goal == "touch" and "state" in change:
            make_file(system, path, change.before["asked"])
    except OSError as error:
        raise ModuleFailure("cannot make %s %s: %s" % (path, goal, error.strerror or error), path=path)
    _dress(system, args, change, path)


def _dress(system: "System", args: "Args", change: "Change", path: "str") -> "None":
    through = change.before["goal"] == "link" and follows(args)
    apply_attributes(system, trusted_path.resolve(path) if through else path, change)
    for below, _, wanted in change.before["below"] or () if "below" in change else ():
        apply_attributes(system, below, wanted)
    if "atime" in change or "mtime" in change:
        found = system.lstat(path)
        if found is None:
            raise ModuleFailure("%s has gone in the meantime" % path, path=path)
        now = time.time()
        asked = change.wanted.get("atime", found.st_atime), change.wanted.get("mtime", found.st_mtime)
        times = [now if value == "now" else value for value in asked]
        # Whoever may write a file may make its times the present, but only its owner any other time.
        system.utime(path, None if asked == ("now", "now") else (times[0], times[1]))


def _remove(system: "System", path: "str", state: "str") -> "None":
    if path == "/":
        raise ModuleFailure("/ is never removed")
    if state == "directory":
        system.rmtree(path)
    else:
        system.remove(path)


def _make_folders(system: "System", path: "str", asked: "Dict[str, Any]") -> "None":
    """Every folder that is missing on the way gets the attributes, as documented."""
    missing = []
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path) or "."
    for one in reversed(missing):
        system.mkdir(one)
        apply_attributes(system, one, asked)


def _make_link(system: "System", src: "str", path: "str", state: "str", make: "Any") -> "None":
    """In place of a file or link in one step; only an empty folder has to go first."""
    if state == "absent":
        make(src, path)
        return
    if state == "directory":
        system.rmdir(path)
    temporary = os.path.join(os.path.dirname(path), ".%s.opsplay-%s" % (os.path.basename(path)[:150], os.urandom(12).hex()))
    make(src, temporary)
    try:
        system.rename(temporary, path)
    except OSError:
        system.remove(temporary)
        raise


def make_file(system: "System", path: "str", asked: "Dict[str, Any]") -> "None":
    if not os.path.isdir(os.path.dirname(os.path.abspath(path))):
        raise ModuleFailure("Error, could not touch target: %s is in no folder that is there" % path, path=path)
    system.write(path, b"", mode=int(asked["mode"], 8) if "mode" in asked else None, owner=asked.get("owner"),
                 group=asked.get("group"))
