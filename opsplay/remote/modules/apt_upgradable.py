"""List the packages that apt would upgrade: versions, where from, security or not, and what is held back."""

import re

from opsplay.remote.spec import Choice, Flag, Integer, Listing, ModuleFailure, Spec

SPEC = Spec(
    args={
        "security_only": Flag(default=False, text="Only packages with a security update waiting."),
        "upgrade": Choice("safe", "full", default="safe", text="full also counts what needs others removed."),
    },
    returns={
        "packages": Listing(text="name, old, new, origin, security of each."), "names": Listing(text="As apt takes them: name=version."),
        "security": Integer(text="How many are security updates."), "held": Listing(), "removed": Listing(text="What full would remove."),
        "count": Integer(), "kept_back": Listing(),
    },
    examples=("apt_upgradable: {security_only: true}",),
    notes=("The package lists are used as they are: run apt with update_cache first.",),
)
INSTALL = re.compile(r"^Inst (?P<name>\S+)(?: \[(?P<old>[^\]]*)\])? \((?P<new>\S+) (?P<origin>.*?)(?: \[[^\]]*\])?\)")


def read(system, args):
    if not system.which("apt-get"):
        raise ModuleFailure("this host has no apt-get")
    how = ["dist-upgrade"] if args.upgrade == "full" else ["--with-new-pkgs", "upgrade"]
    done = system.run(["apt-get", "-s", "-q", "-o", "Debug::NoLocking=1"] + how)
    if done.rc:
        raise ModuleFailure("apt-get cannot tell: %s" % done.stderr.strip()[-300:], rc=done.rc)
    packages = [_package(match) for match in map(INSTALL.match, done.stdout.splitlines()) if match]
    packages = [package for package in packages if package["security"] or not args.security_only]
    removed = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("Remv ")]
    return {
        "packages": packages, "names": ["%s=%s" % (package["name"], package["new"]) for package in packages], "count": len(packages),
        "security": sum(package["security"] for package in packages), "removed": removed, "kept_back": _kept_back(done.stdout),
        "held": sorted(system.run(["apt-mark", "showhold"]).stdout.split()),
    }


def _package(match):
    origin = match.group("origin")
    return {"name": match.group("name"), "old": match.group("old") or "", "new": match.group("new"), "origin": origin,
            "security": bool(re.search(r"security", origin, re.IGNORECASE))}


def _kept_back(text):
    match = re.search(r"kept back:\n((?:  .*\n?)*)", text)
    return match.group(1).split() if match else []
