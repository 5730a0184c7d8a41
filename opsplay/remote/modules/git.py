"""Keep a working copy of a git repository at a version."""

import os

from opsplay.remote.git_checkout import Checkout
from opsplay.remote.spec import Flag, Integer, Listing, ModuleFailure, Path, Raw, Spec, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SPEC = Spec(
    args={
        "repo": Text(required=True, aliases=("name",), text="URL or path of the repository."),
        "dest": Path(required=True, text="Where the working copy is."),
        "version": Text(default="HEAD", text="Branch, tag or commit."),
        "remote": Text(default="origin", text="Name of the remote."),
        "refspec": Text(text="Further refspec to fetch."),
        "clone": Flag(default=True, text="Clone where there is nothing yet."),
        "update": Flag(default=True, text="Fetch new revisions."),
        "force": Flag(default=False, text="Throw away local changes."),
        "bare": Flag(default=False, text="A bare repository, without working copy."),
        "depth": Integer(text="History to fetch."),
        "single_branch": Flag(default=False, text="Fetch one branch only."),
        "recursive": Flag(default=True, text="Also the submodules."),
        "track_submodules": Flag(default=False, text="Submodules at their branch's newest commit."),
        "accept_hostkey": Flag(default=False, text="Accept an unknown SSH host key."),
        "accept_newhostkey": Flag(default=False, text="Accept a host key that is new, not one that changed."),
        "ssh_opts": Text(text="Options for ssh."),
        "key_file": Path(text="SSH key."),
        "executable": Path(text="The git program."),
        "reference": Text(text="Repository to take objects from."),
        "umask": Raw(text="umask to work with."),
        "verify_commit": Flag(default=False, text="Check the signature."),
        "gpg_allowlist": Listing(default=[], elements=Text(), aliases=("gpg_whitelist",), text="Keys that may have signed."),
        "archive": Path(text="Write the version as an archive to this path."),
        "archive_prefix": Text(text="Prefix for the archive's members."),
        "separate_git_dir": Path(text="Keep the repository's data there."),
    },
    returns={"before": Text(), "after": Text(), "remote_url_changed": Flag(), "warnings": Text(), "git_dir_now": Text(), "git_dir_before": Text()},
    exclusive=(("separate_git_dir", "bare"), ("accept_hostkey", "accept_newhostkey")),
    required_by={"archive_prefix": ("archive",)},
    examples=("git: {repo: 'https://git.example.org/app.git', dest: /srv/app, version: v1.4}",),
)


def act(system: "System", args: "Args") -> "Dict[str, Any]":
    checkout = Checkout(system, args)
    before = checkout.current()
    if before is None and not args.clone:
        return {"changed": False, "before": None, "after": None, "msg": "not cloned: clone is false"}
    if before is None:
        return _clone(system, args, checkout)
    return _update(system, args, checkout, before)


def _clone(system: "System", args: "Args", checkout: "Checkout") -> "Dict[str, Any]":
    if os.path.isdir(args.dest) and os.listdir(args.dest):
        raise ModuleFailure("%s is there, is not empty and is no git repository" % args.dest)
    after = checkout.remote_version()
    result = {"changed": True, "before": None, "after": after, "remote_url_changed": False}
    if not system.check:
        checkout.clone()
        checkout.switch(after, fetch=False)
        result["after"] = checkout.current()
        checkout.export()
    return _with_diff(system, result, [])


def _update(system: "System", args: "Args", checkout: "Checkout", before: "str") -> "Dict[str, Any]":
    moved_remote = checkout.remote_url() != args.repo
    if moved_remote and not system.check:
        checkout.set_remote_url()
    dirty = [] if args.bare else checkout.local_changes()
    if dirty and not args.force:
        raise ModuleFailure("Local modifications exist in the destination: %s (force=no)." % args.dest, before=before)
    after = checkout.wanted(before) if args["update"] or not checkout.holds(args.version) else checkout.local(args.version)
    changed = after != before or bool(dirty) or moved_remote or checkout.export_needed(after)
    result = {"changed": changed, "before": before, "after": after, "remote_url_changed": moved_remote}
    if changed and not system.check:
        checkout.switch(after, fetch=True)
        result["after"] = checkout.current()
        checkout.export()
    return _with_diff(system, result, dirty)


def _with_diff(system: "System", result: "Dict[str, Any]", dirty: "List[str]") -> "Dict[str, Any]":
    if system.diff and result["changed"]:
        lines = [result["before"] or ""] + dirty
        result["diff"] = {"before": "".join(line + "\n" for line in lines), "after": "%s\n" % result["after"]}
    return result
