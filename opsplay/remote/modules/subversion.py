"""Keep a working copy of a Subversion repository at a revision, or export one."""

import os
import re

from opsplay.remote.spec import Flag, Listing, ModuleFailure, Path, Spec, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SPEC = Spec(
    args={
        "repo": Text(required=True, aliases=("name", "repository"), text="URL of the repository."),
        "dest": Path(text="Where the working copy is; needed unless checkout, update and export are all false."),
        "revision": Text(default="HEAD", aliases=("rev", "version"), text="Revision to have there."),
        "force": Flag(default=False, text="Throw away local changes."),
        "in_place": Flag(default=False, text="Check out over a folder that is there and is no working copy."),
        "username": Text(text="Who logs in to the repository."),
        "password": Text(secret=True, text="The password, given to svn through its input where it can read it there."),
        "executable": Path(text="The svn program."),
        "checkout": Flag(default=True, text="Check out where there is nothing yet."),
        "update": Flag(default=True, text="Fetch new revisions."),
        "export": Flag(default=False, text="Export instead: files without a working copy's data."),
        "switch": Flag(default=True, text="Switch a working copy of another URL to this one."),
        "validate_certs": Flag(default=False, text="Refuse a server whose certificate does not hold."),
    },
    returns={"before": Listing(text="Revision and URL before, each in a line."), "after": Listing(text="The same, now.")},
    examples=("subversion: {repo: 'svn+ssh://svn.example.org/app/trunk', dest: /srv/app}",),
    notes=("Externals are left alone.", "An export is made anew, and counts as a change, each time."),
)
MODIFIED = "ERROR: modified files exist in the repository."
FAULTS = "unknown-ca,cn-mismatch,expired,not-yet-valid,other"


def act(system: "System", args: "Args") -> "Dict[str, Any]":
    copy = Copy(system, args)
    if not (args.checkout or args["update"] or args.export):
        return {"changed": False, "after": copy.described(args.repo, args.revision)[0]}
    if args.dest is None:
        raise ModuleFailure("the destination directory must be specified unless checkout=no, update=no, and export=no")
    if args.export or not os.path.exists(args.dest):
        return _fresh(system, args, copy)
    if copy.is_there():
        return _known(system, args, copy)
    if args.in_place:
        return _over(system, args, copy)
    raise ModuleFailure("ERROR: %s folder already exists, but its not a subversion repository." % args.dest)


def _fresh(system: "System", args: "Args", copy: "Copy") -> "Dict[str, Any]":
    if not (args.export or args.checkout):
        return {"changed": False}
    after = copy.described(args.repo, args.revision)
    if args.export:
        if not system.check:
            copy.svn(["export"] + (["--force"] if args.force else []) + ["-r", args.revision, args.repo, args.dest])
        return _changed(system, {}, [], ["exported"] + after)
    if not system.check:
        copy.svn(["checkout", "-r", args.revision, args.repo, args.dest])
        after = copy.described(args.dest)
    return _changed(system, {"before": None, "after": after}, [], after)


def _known(system: "System", args: "Args", copy: "Copy") -> "Dict[str, Any]":
    """A working copy: local changes first, for switching would hide whose they are."""
    before = copy.described(args.dest)
    if not args["update"]:
        return {"changed": False, "before": before, "after": before}
    modified = copy.modified()
    if modified and not args.force:
        raise ModuleFailure(MODIFIED, before=before)
    after = copy.described(args.repo if args.switch else copy.url(args.dest), args.revision)
    stale = args.revision == "HEAD" and after == before and copy.is_behind()
    if system.check or (after == before and not modified and not stale):
        return _compared(system, before, after, modified or stale)
    if args.switch and copy.url(args.dest) != args.repo.rstrip("/"):
        copy.svn(["switch", "--ignore-ancestry", "-r", args.revision, args.repo, args.dest])
    if modified:
        copy.svn(["revert", "-R", args.dest])
    copy.svn(["update", "-r", args.revision, args.dest])
    return _compared(system, before, copy.described(args.dest), modified or stale)


def _over(system: "System", args: "Args", copy: "Copy") -> "Dict[str, Any]":
    after = copy.described(args.repo, args.revision)
    if not system.check:
        copy.svn(["checkout", "--force", "-r", args.revision, args.repo, args.dest])
        if args.force and copy.modified():
            copy.svn(["revert", "-R", args.dest])
        after = copy.described(args.dest)
    return _changed(system, {"before": None, "after": after}, [], after)


def _compared(system: "System", before: "List[str]", after: "List[str]", modified: "bool") -> "Dict[str, Any]":
    result = {"before": before, "after": after}
    if before == after and not modified:
        return dict(result, changed=False)
    return _changed(system, result, before + (["other content"] if modified else []), after)


def _changed(system: "System", result: "Dict[str, Any]", before: "List[str]", after: "List[str]") -> "Dict[str, Any]":
    if system.diff:
        result["diff"] = {"before": "".join(line + "\n" for line in before), "after": "".join(line + "\n" for line in after)}
    return dict(result, changed=True)


class Copy(object):
    """svn, asked about a working copy or told to change it."""

    def __init__(self, system: "System", args: "Args") -> "None":
        self.system = system
        self.args = args
        program = args.executable or system.which("svn")
        if program is None:
            raise ModuleFailure("svn is not installed on this host")
        self.program = program
        self.password = None  # type: Optional[bytes]
        self.flags = self._flags()

    def _flags(self) -> "List[str]":
        """Never asks and never keeps a password; one on the command line only where an old svn knows no other way."""
        version = [int(part) for part in re.findall(r"\d+", self.system.run([self.program, "--version", "--quiet"]).stdout)[:2]]
        flags = ["--non-interactive", "--no-auth-cache"]
        if not self.args.validate_certs:
            flags += ["--trust-server-cert-failures", FAULTS] if version >= [1, 9] else ["--trust-server-cert"]
        if self.args.username:
            flags += ["--username", self.args.username]
        if self.args.password and version >= [1, 10]:
            self.password = self.args.password.encode("utf-8")
            flags.append("--password-from-stdin")
        elif self.args.password:
            self.system.warn("This svn takes a password on its command line only, where other users of the host can see it.")
            flags += ["--password", self.args.password]
        return flags

    def run(self, words: "List[str]") -> "Any":
        return self.system.run([self.program] + self.flags + words, input=self.password)

    def svn(self, words: "List[str]") -> "str":
        run = self.run(words)
        if run.rc != 0:
            raise ModuleFailure("svn %s failed: %s" % (words[0], run.stderr.strip()), rc=run.rc, stdout=run.stdout, stderr=run.stderr)
        return str(run.stdout)

    def is_there(self) -> "bool":
        return bool(self.run(["info", self.args.dest]).rc == 0)

    def described(self, place: "str", revision: "Optional[str]" = None) -> "List[str]":
        """`Revision: 7` and `URL: ...`. What svn says of a URL at a revision has that revision's number."""
        said = self.svn(["info"] + (["-r", revision] if revision else []) + [place])
        return re.findall(r"^(?:Revision|URL): .*$", said, re.MULTILINE)[::-1]

    def url(self, place: "str") -> "str":
        return next(line[5:] for line in self.described(place) if line.startswith("URL: "))

    def is_behind(self) -> "bool":
        """Whether parts of it are older than the whole, as after a commit from elsewhere in it."""
        return any(line[8:9] == "*" for line in self.svn(["status", "-q", "-u", self.args.dest]).splitlines())

    def modified(self) -> "bool":
        """Whether files that svn knows were changed; what it does not know, and externals, are none of its business."""
        lines = self.svn(["status", "--quiet", "--ignore-externals", self.args.dest]).splitlines()
        return any(line[:2].strip() and line[0] != "X" and not line.startswith("Performing") for line in lines)
