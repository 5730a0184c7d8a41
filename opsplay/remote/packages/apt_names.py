"""Package names as tasks write them (wildcards, versions, virtual packages) -> what apt-get is asked for."""

import fnmatch
import functools
import re

from opsplay.remote.packages import debian_versions, dpkg
from opsplay.remote.spec import ModuleFailure

WILD = re.compile(r"[*?\[]")
FORM = re.compile(r"^([^=><\s]+?)\s*(>?=)\s*(\S+)$")


class Wanted(object):
    """One entry of `name`: a package and, perhaps, its version."""

    def __init__(self, text):
        found = FORM.match(text)
        self.text = text
        self.name, self.operator, self.version = found.groups() if found else (text, None, None)

    def fits(self, installed):
        return installed is not None and installed.is_installed and (
            not self.operator or debian_versions.satisfies(installed.version, self.operator, self.version))


def read(system, names):
    """The Wanted of a task's names: blanks dropped, `apt*` expanded from what apt knows."""
    wanted = [Wanted(name.strip()) for name in names if name and name.strip()]
    if not any(WILD.search(one.name) for one in wanted):
        return wanted
    known = sorted(set(system.run(["apt-cache", "pkgnames"]).stdout.split()))
    expanded = []
    for one in wanted:
        if WILD.search(one.name):
            matching = fnmatch.filter(known, one.name)
            if not matching:
                raise ModuleFailure("No package(s) matching '%s' available" % one.name)
            suffix = one.text[len(one.name):]
            expanded += [Wanted(name + suffix) for name in matching]
        else:
            expanded.append(one)
    return expanded


def to_install(system, wanted, state, only_upgrade):
    """The words for `apt-get install`: nothing for what is there already (state present) in the right version."""
    database = dpkg.query(system, [one.name for one in wanted])
    words = []
    missing = []
    for one in wanted:
        installed = database.get(one.name)
        if one.fits(installed) and (state != "latest" or (one.operator == "=" and one.version == installed.version)):
            continue
        if only_upgrade and (installed is None or not installed.is_installed):
            continue
        if installed is None or not installed.is_there:
            missing.append(one)
        words.append(one)
    satisfied = _provided(system, missing) if missing and state != "latest" else frozenset()
    return [_word(system, one, database.get(one.name)) for one in words if one.text not in satisfied]


def _provided(system, missing):
    """Those of the missing names that are only virtual and that an installed package provides."""
    everything = dpkg.query(system)
    return frozenset(one.text for one in missing
                     if everything.providers(one.name.split(":")[0]) and not candidate(system, one.name))


def candidate(system, name):
    """The version that apt would install, or None."""
    found = re.search(r"^  Candidate: (\S+)", system.run(["apt-cache", "policy", name]).stdout, re.M)
    return found.group(1) if found and found.group(1) != "(none)" else None


def _word(system, one, installed):
    if not one.operator or (one.operator == "=" and not WILD.search(one.version)):
        return one.text
    versions = available(system, one.name)
    fitting = [version for version in versions if debian_versions.satisfies(version, one.operator, one.version)]
    if not fitting:
        raise ModuleFailure("no available installation candidate for %s" % one.text, available=versions)
    preferred = candidate(system, one.name)
    return "%s=%s" % (one.name, preferred if preferred in fitting else fitting[0])


def available(system, name):
    """Versions that the archives hold, newest first."""
    rows = [line.split("|") for line in system.run(["apt-cache", "madison", name]).stdout.splitlines()]
    versions = set(row[1].strip() for row in rows if len(row) > 2 and "Sources" not in row[2].split()[-1:])
    return sorted(versions, key=functools.cmp_to_key(debian_versions.compare), reverse=True)


def to_remove(system, wanted, purge):
    """Names that are there (or, with purge, have left configuration behind), in the version asked for."""
    database = dpkg.query(system, [one.name for one in wanted])
    names = []
    for one in wanted:
        installed = database.get(one.name)
        if installed is None or (one.operator and not debian_versions.satisfies(
                installed.version or "", one.operator, one.version)):
            continue
        if installed.is_there or (purge and installed.has_leftovers):
            names.append(one.name)
    return names
