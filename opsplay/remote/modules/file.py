"""Make, change or remove a file, folder or link, and set its attributes."""

from opsplay.remote import file_state
from opsplay.remote.file_attributes import KEYS
from opsplay.remote.spec import Choice, Flag, Path, Spec, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from opsplay.remote.perform import Change
    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SPEC = Spec(
    args={
        "path": Path(required=True, aliases=("dest", "name"), text="What to manage."),
        "state": Choice("absent", "directory", "file", "hard", "link", "touch",
                        text="What is to be there. Not given: what is there, or directory with recurse, else file."),
        "src": Path(text="What a link leads to; relative to the link's folder, as ln -s takes it."),
        "recurse": Flag(default=False, text="Set the attributes of everything below a folder; of what links lead to only with follow: true."),
        "force": Flag(default=False, text="Links: also to what is not there, and in place of a file or empty folder."),
        "follow": Flag(text="Where path is a link, mean what it leads to: so it is where nothing is said, too."),
        "modification_time": Text(text="now, preserve, or a time."),
        "modification_time_format": Text(default="%Y%m%d%H%M.%S", text="How that time is written."),
        "access_time": Text(text="now, preserve, or a time."),
        "access_time_format": Text(default="%Y%m%d%H%M.%S", text="How that time is written."),
        "_diff_peek": Flag(text="Of results of Ansible that are given back as arguments; nothing heeds it."),
    },
    returns={"path": Text(), "dest": Text(), "state": Text(), "src": Text(), "owner": Text(), "group": Text(),
             "mode": Text(), "uid": Text(), "gid": Text(), "size": Text()},
    examples=("file: {path: /srv/app, state: directory, mode: '0755'}", "file: {path: /srv/current, src: app-2, state: link}"),
    file_arguments=True,
    notes=("touch without preserve changes something on every run.",
           "Unlike Ansible, recurse goes through links only where follow: true is written, and never through those of other users.",),
)
MOMENTARY = ("atime", "mtime")
ALWAYS_DIFF = True  # it names the path also where nothing differs


def observe(system: "System", args: "Args") -> "Dict[str, Any]":
    return file_state.observe(system, args)


def desired(args: "Args", before: "Dict[str, Any]") -> "Dict[str, Any]":
    state = before["goal"]
    if state == "absent":
        return {"state": "absent"}
    wanted = dict(before["asked"])
    wanted.update(file_state.wanted_state(args, before))
    wanted.update(file_state.wanted_times(args, before))
    if before["below"] is not None:
        wanted["below"] = []
    return wanted


def apply(system: "System", args: "Args", change: "Change") -> "None":
    file_state.make_so(system, args, change)


def report(args: "Args", before: "Dict[str, Any]", after: "Dict[str, Any]") -> "Dict[str, Any]":
    name = "dest" if before["goal"] in ("touch", "hard", "link") else "path"
    said = {name: before["real"] if before["goal"] == "hard" else args.path, "state": after["state"]}
    said.update((key, after[key]) for key in ("owner", "group", "mode", "uid", "gid", "size", "src") if after.get(key) is not None)
    return said


def difference(args: "Args", before: "Dict[str, Any]", after: "Dict[str, Any]") -> "Dict[str, Any]":
    """The keys that were asked for and differ; times that become now are called so."""
    old, new = {"path": args.path}, {"path": args.path}  # type: Dict[str, Any], Dict[str, Any]
    keys = {"absent": ["state"], "hard": []}.get(before["goal"], ["state", "src"])
    if before["goal"] == "hard" and not before["linked"] and args.src:
        old["state"], new["state"] = before["state"], "hard"
    keys = keys + ([key for key in KEYS if key in before["asked"]] if before["state"] != "absent" else [])
    for key in keys:
        if before.get(key) != after.get(key):
            old[key], new[key] = before.get(key), after.get(key)
    for key, time in file_state.wanted_times(args, before).items():
        if before["state"] != "absent" and before.get(key) != time:
            old[key], new[key] = before.get(key), time
    if before["below"]:
        old["below"] = {path: now for path, now, _ in before["below"]}
        new["below"] = {path: wanted for path, _, wanted in before["below"]}
    if before["state"] == "directory" and before["goal"] == "absent":
        old["path_content"] = before["content"]
    return {"before": old, "after": new}
