"""What rpm knows of installed packages."""

import re

from opsplay.remote.spec import ModuleFailure

FORMAT = "%{NAME}\t%{EPOCHNUM}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\n"
ARCHITECTURES = ("noarch", "x86_64", "i686", "i386", "aarch64", "ppc64le", "s390x", "armv7hl", "src")


class Installed(object):
    """One installed package."""

    __slots__ = ("arch", "epoch", "name", "release", "version")

    def __init__(self, line):
        self.name, self.epoch, self.version, self.release, self.arch = line.split("\t")

    @property
    def full(self):
        return "%s-%s-%s.%s" % (self.name, self.version, self.release, self.arch)

    def forms(self):
        """Every way to write this package in a task."""
        nevr = "%s-%s:%s-%s" % (self.name, self.epoch, self.version, self.release)
        nvr = "%s-%s-%s" % (self.name, self.version, self.release)
        return {self.name, "%s.%s" % (self.name, self.arch), "%s-%s" % (self.name, self.version), nvr, nevr,
                nvr + "." + self.arch, nevr + "." + self.arch,
                "%s:%s" % (self.epoch, nvr), "%s:%s.%s" % (self.epoch, nvr, self.arch),
                "%s = %s" % (self.name, self.version), "%s = %s-%s" % (self.name, self.version, self.release)}


def query(system, words, root=None):
    """The Installed that match names, capabilities or files; words that match nothing give nothing."""
    base = ["rpm"] + (["--root", root] if root and root != "/" else [])
    run = system.run(base + ["-q", "--qf", FORMAT, "--whatprovides", "--"] + list(words))
    found = [Installed(line) for line in run.stdout.splitlines() if line.count("\t") == 4]
    run = system.run(base + ["-q", "--qf", FORMAT, "--"] + list(words))
    found += [Installed(line) for line in run.stdout.splitlines() if line.count("\t") == 4]
    unique = {one.full: one for one in found if one.name != "gpg-pubkey"}
    return list(unique.values())


def everything(system, root=None):
    """{full name: Installed} of all packages."""
    base = ["rpm"] + (["--root", root] if root and root != "/" else [])
    run = system.run(base + ["-qa", "--qf", FORMAT])
    if run.rc != 0:
        raise ModuleFailure("rpm -qa failed: %s" % run.stderr.strip(), rc=run.rc)
    listed = [Installed(line) for line in run.stdout.splitlines() if line.count("\t") == 4]
    return {one.full: one for one in listed if one.name != "gpg-pubkey"}


def is_installed(system, word, root=None):
    """Whether a task's word (name, name-version, name.arch, capability, path, wildcard) is there."""
    import fnmatch
    if re.search(r"[*?\[]", word):
        return any(fnmatch.fnmatchcase(one.name, word) for one in everything(system, root).values())
    return bool(query(system, [word], root))


def of_file(system, path):
    """The Installed form of a .rpm file."""
    run = system.run(["rpm", "-qp", "--nosignature", "--qf", FORMAT, "--", path])
    if run.rc != 0 or run.stdout.count("\t") < 4:
        raise ModuleFailure("Could not read the package %s: %s" % (path, run.stderr.strip()), rc=run.rc)
    return Installed(run.stdout.splitlines()[0])
