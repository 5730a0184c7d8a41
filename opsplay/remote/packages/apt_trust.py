"""Packages that no signature covers, found before anything is done: `apt-get --simulate` does not look."""

import re


def unauthenticated(system, actions):
    """Names of the packages that a plan would take from unsigned archives only."""
    new = {action.name: action.new for action in actions if action.new and action.kind != "configure"}
    unsigned = _unsigned_archives(system) if new else ()
    if not unsigned:
        return []
    shown = system.run(["apt-cache", "policy"] + sorted(new)).stdout
    found = []
    for name, version, archives in _versions(shown):
        if new.get(name) == version and archives and all(archive in unsigned for archive in archives):
            found.append(name)
    return found


def _unsigned_archives(system):
    """{"URI suite"} of the archives that apt does not trust."""
    listed = system.run(["apt-get", "indextargets", "--format", "$(TRUSTED)|$(SITE) $(RELEASE)", "Created-By: Packages"])
    rows = [line.partition("|") for line in listed.stdout.splitlines()]
    return frozenset(archive.strip() for trusted, _, archive in rows if trusted == "no")


def _versions(text):
    """(package, version, ["URI suite"]) of apt-cache policy's version tables; dpkg's own status is no archive."""
    name, version, archives = None, None, []
    for line in text.splitlines() + ["end:"]:
        if re.match(r"^\S+:$", line) or re.match(r"^ (\*\*\*|   ) \S+ -?\d+$", line):
            if version is not None:
                yield name, version, archives
            version, archives = None, []
            if not line.startswith(" "):
                name = line[:-1].split(":")[0]
            else:
                version = line[5:].split()[0]
        else:
            found = re.match(r"^ +-?\d+ (\S+) ([^/\s]+)/", line)
            if found:
                archives.append("%s %s" % found.groups())
