"""What dpkg knows: installed packages with their versions, holds, broken ones."""

import re

FORMAT = "${Package}\t${Architecture}\t${db:Status-Abbrev}\t${Version}\t${Provides}\n"
DIVIDED = re.compile(r"/var/lib/dpkg/updates/\d+$")


class Installed(object):
    """One package as dpkg has it. `want` is i, h, r, p or u; `state` is i, c, U, F, H, W, t or n."""

    __slots__ = ("architecture", "error", "name", "provides", "state", "version", "want")

    def __init__(self, line):
        name, architecture, status, version, provides = line.split("\t")
        self.name = name
        self.architecture = architecture
        status = (status + "   ")[:3]
        self.want, self.state, self.error = status[0], status[1], status[2].strip()
        self.version = version
        self.provides = [word.split(" ")[0] for word in provides.split(", ") if word]

    @property
    def is_installed(self):
        return self.state in "itW" and not self.error  # trigger states are installed for all uses

    @property
    def is_there(self):
        """Any file of it may be on the disk, configured or not."""
        return self.state not in "nc"

    @property
    def has_leftovers(self):
        return self.state == "c"

    @property
    def is_held(self):
        return self.want == "h"

    @property
    def is_broken(self):
        return self.state in "UFH" or bool(self.error)


class Database(object):
    """A snapshot of some packages, looked up by `name` or `name:architecture`."""

    def __init__(self, packages, native):
        self._by_name = {}
        for package in packages:
            self._by_name.setdefault(package.name, []).append(package)
        self._native = native

    def get(self, name):
        """The Installed for a name, the native architecture's first; None when dpkg never saw it."""
        bare, _, architecture = name.partition(":")
        found = self._by_name.get(bare, [])
        if architecture and architecture not in ("any", "native"):
            found = [one for one in found if one.architecture in (architecture, "all")]
        else:
            found = sorted(found, key=lambda one: (not one.is_there, one.architecture not in (self._native, "all")))
        return found[0] if found else None

    def all(self):
        return [package for packages in self._by_name.values() for package in packages]

    def providers(self, name):
        return [package for package in self.all() if name in package.provides and package.is_installed]


def native_architecture(system):
    return system.run(["dpkg", "--print-architecture"]).stdout.strip()


def query(system, names=None):
    """The Database of the named packages, or of all. Names that dpkg does not know are simply not in it."""
    argv = ["dpkg-query", "-W", "-f", FORMAT]
    if names is not None:
        if not names:
            return Database([], "")
        argv += ["--"] + sorted(set(names))
    run = system.run(argv)
    lines = [line for line in run.stdout.split("\n") if line.count("\t") == 4]
    packages = [Installed(line) for line in lines]
    several = len(set(one.name for one in packages)) < len(packages)
    return Database(packages, native_architecture(system) if several else "")


def broken(system):
    """Names of the packages that are half installed or not configured."""
    return sorted(package.name for package in query(system).all() if package.is_broken)


def was_interrupted(system):
    """dpkg's own test: journal files of a run that did not end."""
    try:
        return any(name.isdigit() for name in system.listdir("/var/lib/dpkg/updates"))
    except OSError:
        return False


def automatic(system):
    """Names that apt installed only because others needed them (/var/lib/apt/extended_states)."""
    try:
        text = system.read_text("/var/lib/apt/extended_states")
    except OSError:
        return frozenset()
    names = set()
    for stanza in text.split("\n\n"):
        if re.search(r"^Auto-Installed: 1$", stanza, re.M):
            found = re.search(r"^Package: (.+)$", stanza, re.M)
            if found:
                names.add(found.group(1))
    return names
