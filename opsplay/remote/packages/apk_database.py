"""Alpine's database of installed packages, and its world file."""


def installed(system):
    """{name: fields} of /lib/apk/db/installed (P name, V version, A architecture, p provides)."""
    for path in ("/lib/apk/db/installed", "/usr/lib/apk/db/installed"):
        if system.stat(path) is not None:
            packages = {}
            for stanza in system.read_text(path).split("\n\n"):
                fields = dict((line[0], line[2:]) for line in stanza.splitlines() if line[1:2] == ":" and line[0] in "PVAp")
                if "P" in fields:
                    packages[fields["P"]] = fields
            return packages
    return {}


def provides(packages, name):
    """Whether an installed package has that name or provides it."""
    if name in packages:
        return True
    return any(name in [word.split("=")[0] for word in fields.get("p", "").split()] for fields in packages.values())


def world(system):
    """Names that were asked for, which keep a package from being removed with what needed it."""
    path = "/etc/apk/world"
    return system.read_text(path).split() if system.stat(path) is not None else []
