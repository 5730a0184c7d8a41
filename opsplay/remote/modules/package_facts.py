"""Gather installed packages as facts."""

from opsplay.remote.spec import Choice, Listing, ModuleFailure, Spec

SPEC = Spec(
    args={"manager": Listing(default=["auto"], text="Checked on the host, which has the last word."), "strategy": Choice("first", "all", default="first")},
    returns={"ansible_facts": "packages: {name: [{name, version, arch, source, ...}]}"}, facts=True,
    examples=["package_facts:"],
)


def _listing(system, argv):
    run = system.run(argv)
    if run.rc != 0:
        raise ModuleFailure("Unable to list packages rc=%d : %s" % (run.rc, run.stderr.strip()), rc=run.rc)
    return run.stdout


def _apt(system):
    text = _listing(system, ["dpkg-query", "-W", "-f", "${Package}\t${Version}\t${Architecture}\t${Section}\t${db:Status-Abbrev}"
                      "\t${Origin}\n"])
    for line in text.splitlines():
        fields = line.split("\t")
        if len(fields) > 4 and fields[4][1:2] in ("i", "t", "W"):
            yield {"name": fields[0], "version": fields[1], "arch": fields[2], "category": fields[3],
                   "origin": fields[5] if len(fields) > 5 else "", "source": "apt"}


def _rpm(system):
    form = "%{NAME}\t%{VERSION}\t%{RELEASE}\t%{EPOCH}\t%{ARCH}\n"
    for line in _listing(system, ["rpm", "-qa", "--qf", form]).splitlines():
        name, version, release, epoch, arch = line.split("\t")
        yield {"name": name, "version": version, "release": release, "arch": arch, "source": "rpm",
               "epoch": int(epoch) if epoch.isdigit() else None}


def _apk(system):
    from opsplay.remote.packages import apk_database
    _listing(system, ["apk", "info"])
    for package in apk_database.installed(system).values():
        version, _, release = package["V"].partition("-r")
        yield {"name": package["P"], "version": version, "release": release, "arch": package.get("A", ""), "source": "apk"}


def _pacman(system):
    for line in _listing(system, ["pacman", "-Q"]).splitlines():
        name, _, version = line.partition(" ")
        yield {"name": name, "version": version, "source": "pacman"}


MANAGERS = (("apt", "dpkg-query", _apt), ("rpm", "rpm", _rpm), ("apk", "apk", _apk), ("pacman", "pacman", _pacman))
ALIASES = {"yum": "rpm", "dnf": "rpm", "dnf5": "rpm", "zypper": "rpm"}


def read(system, args):
    wanted = [ALIASES.get(name.lower(), name.lower()) for name in args.manager or ["auto"]]
    known = [name for name, _, _ in MANAGERS]
    unknown = [name for name in wanted if name not in known + ["auto", "pkg", "portage", "pkg_info", "openbsd_pkg"]]
    if unknown:
        raise ModuleFailure("Unsupported package managers requested: %s" % ", ".join(unknown))
    packages, found = {}, 0
    for name, program, listing in MANAGERS:
        if name in wanted and not system.which(program):
            system.warn("Requested package manager %s was not usable by this module: %s is not installed" % (name, program))
        if ("auto" in wanted or name in wanted) and system.which(program):
            try:
                listed = list(listing(system))
            except ModuleFailure as failure:
                system.warn("Failed to retrieve packages with %s: %s" % (name, failure.msg))
                continue
            found += len(listed)
            for package in listed:
                packages.setdefault(package["name"], []).append(package)
            if found and args.strategy == "first":
                break
    if not found:
        raise ModuleFailure("Could not detect a supported package manager from the following list: %s, or the required "
                            "library is not installed." % wanted)
    return {"ansible_facts": {"packages": packages}}
