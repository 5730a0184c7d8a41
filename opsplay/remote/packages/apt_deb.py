"""Single .deb files for the apt module: fetched when they are URLs, compared with what is installed."""

import os

from opsplay.remote.packages import debian_versions, dpkg
from opsplay.remote.spec import ModuleFailure


def fetch(system, source):
    """The path of the file, downloaded first when `source` is a URL."""
    if "://" not in source:
        if system.stat(source) is None:
            raise ModuleFailure("Unable to install package: %s does not exist" % source)
        return os.path.abspath(source)
    import urllib.request
    path = os.path.join(system.temporary(), os.path.basename(source.split("?")[0]) or "package.deb")
    os.chmod(os.path.dirname(path), 0o755)  # apt's unprivileged sandbox user reads it
    try:
        with urllib.request.urlopen(source, timeout=60) as answer, open(path, "wb") as target:
            for chunk in iter(lambda: answer.read(1 << 20), b""):
                target.write(chunk)
    except (OSError, ValueError) as error:
        raise ModuleFailure("Failure downloading %s, %s" % (source, error))
    return path


def read(system, path):
    """{Package, Version, Architecture} of a .deb file."""
    run = system.run(["dpkg-deb", "-f", path, "Package", "Version", "Architecture"])
    fields = dict(line.split(": ", 1) for line in run.stdout.splitlines() if ": " in line)
    if run.rc != 0 or "Package" not in fields:
        raise ModuleFailure("Unable to install package: %s is no Debian package: %s" % (path, run.stderr.strip()))
    return fields


def is_wanted(system, fields, allow_downgrade):
    """Whether the file is to be installed: it is not there, or in another version."""
    installed = dpkg.query(system, [fields["Package"]]).get(fields["Package"])
    if installed is None or not installed.is_installed:
        return True
    order = debian_versions.compare(fields["Version"], installed.version)
    return order > 0 or (order < 0 and allow_downgrade)
