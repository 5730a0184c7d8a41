"""A working copy of a git repository: which commit it has, which one it should have, and how to get it there."""

import os
import re
import shlex

from opsplay.remote.spec import ModuleFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Optional, Tuple

    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

COMMIT = re.compile(r"^[0-9a-fA-F]{40}([0-9a-fA-F]{24})?$")
FORMATS = {".zip": "zip", ".tar": "tar", ".tar.gz": "tar.gz", ".tgz": "tgz"}


class Checkout(object):
    def __init__(self, system: "System", args: "Args") -> "None":
        self.system = system
        self.args = args
        self.program = args.executable or system.which("git")
        if self.program is None:
            raise ModuleFailure("Failed to find required executable \"git\" in paths: install git on the host")
        self.environment = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0",
                            "GIT_SSH_COMMAND": _ssh_command(args)}
        self._remote: "Optional[Tuple[Optional[str], str]]" = None

    # -- questions

    def current(self) -> "Optional[str]":
        """The commit that is checked out; "" in an empty repository, None where there is no repository."""
        marker = os.path.join(self.args.dest, "HEAD" if self.args.bare else ".git")
        if not os.path.exists(marker):
            return None
        run = self._run("rev-parse", "--verify", "-q", "HEAD", check=False)
        if run.rc != 0 and "dubious ownership" in run.stderr:
            raise ModuleFailure("git refuses %s: %s" % (self.args.dest, run.stderr.strip()))
        return str(run.stdout).strip() if run.rc == 0 else ""

    def remote_version(self) -> "str":
        """The commit that `version` is at the remote."""
        return self._look_up()[1]

    def wanted(self, before: "str") -> "str":
        return self.local(self.args.version) if self._is_commit() and self.holds(self.args.version) else self.remote_version()

    def holds(self, version: "str") -> "bool":
        return bool(self._run("rev-parse", "--verify", "-q", version + "^{commit}", check=False).rc == 0)

    def local(self, version: "str") -> "str":
        return str(self._run("rev-parse", "--verify", version + "^{commit}").stdout).strip()

    def remote_url(self) -> "str":
        return str(self._run("config", "--get", "remote.%s.url" % self.args.remote, check=False).stdout).strip()

    def local_changes(self) -> "List[str]":
        lines = self._run("status", "--porcelain", "--ignore-submodules=none").stdout.splitlines()
        return [line for line in lines if not line.startswith("??")]

    def export_needed(self, commit: "str") -> "bool":
        return bool(self.args.archive) and not os.path.exists(self.args.archive)

    def _is_commit(self) -> "bool":
        return bool(re.match(r"^[0-9a-fA-F]{7,64}$", self.args.version))

    def _look_up(self) -> "Tuple[Optional[str], str]":
        """(branch or None, commit) of `version` at the remote."""
        if self._remote is None:
            self._remote = self._find_at_remote(self.args.version)
        return self._remote

    def _find_at_remote(self, version: "str") -> "Tuple[Optional[str], str]":
        if COMMIT.match(version):
            return None, version.lower()
        run = self._run("ls-remote", "--symref", "--", self.args.repo, cwd="/")
        refs, head = {}, None
        for line in run.stdout.splitlines():
            value, _, name = line.partition("\t")
            if value.startswith("ref: ") and name == "HEAD":
                head = value[len("ref: refs/heads/"):]
            else:
                refs[name] = value
        if version == "HEAD" and "HEAD" in refs:
            return head, refs["HEAD"]
        short = version[len(self.args.remote) + 1:] if version.startswith(self.args.remote + "/") else version
        if "refs/heads/" + short in refs:
            return short, refs["refs/heads/" + short]
        for name in ("refs/tags/%s^{}" % version, "refs/tags/" + version, version):
            if name in refs:
                return None, refs[name]
        if self._is_commit():
            return None, version
        raise ModuleFailure("Could not determine remote revision for %s: %s has no such branch, tag or commit"
                            % (version, self.args.repo))

    # -- changes

    def set_remote_url(self) -> "None":
        verb = "set-url" if self.remote_url() else "add"
        self._run("remote", verb, self.args.remote, self.args.repo)

    def clone(self) -> "None":
        branch = self._look_up()[0]
        words = ["clone", "--origin", self.args.remote] if not self.args.bare else ["clone", "--bare"]
        if self.args.depth:
            words += ["--depth", str(self.args.depth)]
        if branch and (self.args.depth or self.args.single_branch):
            words += ["--branch", branch]
        words += ["--single-branch"] if self.args.single_branch else []
        words += ["--reference", str(self.args.reference)] if self.args.reference else []
        words += ["--separate-git-dir=" + self.args.separate_git_dir] if self.args.separate_git_dir else []
        parent = os.path.dirname(os.path.abspath(self.args.dest))
        if not os.path.isdir(parent):
            os.makedirs(parent)
        self._run(*(words + ["--no-checkout"] * (not self.args.bare) + ["--", self.args.repo, self.args.dest]), cwd=parent)
        if self.args.bare and self.args.remote != "origin":
            self._run("remote", "add", self.args.remote, self.args.repo, check=False)

    def switch(self, commit: "str", fetch: "bool") -> "None":
        branch = self._branch()
        if fetch or not self.holds(commit):
            self._fetch(branch, commit)
        commit = self.local(commit)
        if self.args.verify_commit:
            self._verify(commit)
        if self.args.bare:
            return
        self._run("checkout", "--force", *(["-B", branch, commit] if branch else ["--detach", commit]))
        self._run("reset", "--hard", commit)
        if branch:
            self._run("branch", "--set-upstream-to=%s/%s" % (self.args.remote, branch), branch, check=False)
        if self.args.recursive and os.path.exists(os.path.join(self.args.dest, ".gitmodules")):
            self._run("submodule", "sync")
            self._run("submodule", "update", "--init", "--recursive", "--force",
                      *(["--remote"] if self.args.track_submodules else []))

    def _branch(self) -> "Optional[str]":
        if self.args["update"] or self._remote is not None or not self.holds(self.args.version):
            return self._look_up()[0] if not COMMIT.match(self.args.version) else None
        return None

    def _fetch(self, branch: "Optional[str]", commit: "str") -> "None":
        depth = ["--depth", str(self.args.depth)] if self.args.depth else []
        specs = [self.args.refspec] if self.args.refspec else []
        if self.args.bare:
            specs += ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]
        elif branch and (self.args.single_branch or self.args.depth):
            specs += ["+refs/heads/%s:refs/remotes/%s/%s" % (branch, self.args.remote, branch)]
        elif specs:
            specs += ["+refs/heads/*:refs/remotes/%s/*" % self.args.remote]
        remote = self.args.remote if self.remote_url() else self.args.repo
        self._run("fetch", "--force", "--tags", *(depth + [remote] + specs))
        if not self.holds(commit):
            self._run("fetch", "--force", *(depth + [remote, commit]))

    def export(self) -> "None":
        path = self.args.archive
        if not path:
            return
        kind = next((FORMATS[end] for end in sorted(FORMATS, key=len, reverse=True) if path.endswith(end)), None)
        if kind is None:
            raise ModuleFailure("archive must end with one of: %s" % ", ".join(sorted(FORMATS)))
        prefix = ["--prefix", self.args.archive_prefix] if self.args.archive_prefix else []
        self._run("archive", "--format", kind, "--output", path, *(prefix + ["HEAD"]))

    def _verify(self, commit: "str") -> "None":
        run = self._run("verify-commit", "--raw", commit, check=False)
        if run.rc != 0:
            run = self._run("verify-tag", "--raw", self.args.version, check=False)
        if run.rc != 0:
            raise ModuleFailure("Failed to verify GPG signature of commit/tag \"%s\"" % self.args.version, rc=run.rc)
        signed = re.findall(r"VALIDSIG ([0-9A-F]+)", run.stderr)
        if self.args.gpg_allowlist and not set(signed) & {key.upper() for key in self.args.gpg_allowlist}:
            raise ModuleFailure("The gpg_allowlist does not include the public key \"%s\"" % ", ".join(signed))

    def _run(self, *words: "str", **options: "Any") -> "Any":
        run = self.system.run([self.program] + list(words), cwd=options.get("cwd", self.args.dest),
                              environment=self.environment, umask=_umask(self.args.umask))
        if options.get("check", True) and run.rc != 0:
            raise ModuleFailure("git %s failed: %s" % (words[0], run.stderr.strip() or run.stdout.strip()), rc=run.rc,
                                stderr=run.stderr, stdout=run.stdout)
        return run


def _umask(umask: "Any") -> "Optional[int]":
    return None if umask is None else umask if isinstance(umask, int) else int(str(umask), 8)


def _ssh_command(args: "Args") -> "str":
    words = ["ssh", "-o", "BatchMode=yes"]
    if args.key_file:
        words += ["-i", args.key_file, "-o", "IdentitiesOnly=yes"]
    if args.accept_hostkey:
        words += ["-o", "StrictHostKeyChecking=no"]
    elif args.accept_newhostkey:
        words += ["-o", "StrictHostKeyChecking=accept-new"]
    return " ".join([" ".join(shlex.quote(word) for word in words)] + ([args.ssh_opts] if args.ssh_opts else []))
