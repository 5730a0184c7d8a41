"""Owns the tiny Debian packages of the lab and the signed apt repositories that hold their upgrades."""

import hashlib
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from steps import FILES, run, write

ROOT = Path("/usr/local/share/lab-repo")
UNSIGNED = Path("/usr/local/share/lab-repo-unsigned")
KEYRING = "/usr/share/keyrings/lab-repo.gpg"
MAIN, SECURITY, NONE = "bookworm", "bookworm-security", "unsigned"
SUITES = {
    MAIN: {"Origin": "Debian", "Label": "Debian", "Suite": "stable", "Codename": "bookworm"},
    SECURITY: {"Origin": "Debian", "Label": "Debian-Security", "Suite": "stable-security", "Codename": SECURITY},
    NONE: {"Origin": "Nobody", "Label": "Unsigned", "Suite": NONE, "Codename": NONE},
}
STALE_LIBRARY = "/usr/lib/lab/libcrypto-ish.so.1"
RESTART_WANTED = (
    "#!/bin/sh\nmkdir -p /run; echo 'lab-kernel-ish' >> /run/reboot-required.pkgs\n: > /run/reboot-required\n"
)


@dataclass
class Package:
    """One version of one package, in one suite."""

    name: str
    version: str
    suite: str
    files: dict[str, str] = field(default_factory=dict)
    scripts: dict[str, str] = field(default_factory=dict)
    depends: str = ""
    conffiles: str = ""
    summary: str = "part of the lab"


def hello(version: str) -> dict[str, str]:
    return {"/usr/bin/lab-hello": f"#!/bin/sh\necho hello {version}\n"}


def library(version: str) -> dict[str, str]:
    return {STALE_LIBRARY: f"libcrypto-ish {version}\n", "/usr/bin/lab-openssl-ish": f"#!/bin/sh\necho {version}\n"}


def service(version: str) -> dict[str, str]:
    program = (FILES / "lab-service").read_text().replace("@VERSION@", version)
    unit = (FILES / "lab-service.service").read_text()
    return {"/usr/bin/lab-service": program, "/lib/systemd/system/lab-service.service": unit}


def configured(version: str) -> dict[str, str]:
    return {"/etc/lab-conf.conf": f"# lab-conf {version}\nvalue = {version}\n"}


def catalogue() -> list[Package]:
    both = ("1.0", "1.1")
    made = [Package("lab-hello", v, MAIN, hello(v), summary="upgrades normally") for v in both]
    made += [Package("lab-held", v, MAIN, {"/usr/bin/lab-held": f"#!/bin/sh\necho {v}\n"}) for v in both]
    made += [Package("lab-service", v, MAIN, service(v), depends="lab-openssl-ish") for v in both]
    made += [Package("lab-conf", v, MAIN, configured(v), conffiles="/etc/lab-conf.conf\n") for v in both]
    made += [Package("lab-openssl-ish", v, suite, library(v)) for v, suite in zip(both, (MAIN, SECURITY), strict=True)]
    made += [Package("lab-kernel-ish", "1.0", MAIN, {"/boot/vmlinuz-ish": "1.0\n"})]
    made += [Package("lab-kernel-ish", "1.1", SECURITY, {"/boot/vmlinuz-ish": "1.1\n"}, {"postinst": RESTART_WANTED})]
    made += [Package("lab-broken", "1.0", MAIN, {"/usr/share/lab/broken": "1.0\n"})]
    failing = {"postinst": "#!/bin/sh\necho 'lab-broken: cannot be configured' >&2\nexit 1\n"}
    made += [Package("lab-broken", "1.1", MAIN, {"/usr/share/lab/broken": "1.1\n"}, failing)]
    made += [
        Package("lab-orphan", "1.0", MAIN, {"/usr/share/lab/orphan": "1.0\n"}, summary="nothing needs it any more")
    ]
    made += [Package("lab-unsigned", "1.0", NONE, {"/usr/share/lab/unsigned": "1.0\n"})]
    return made


INSTALLED = ("lab-hello", "lab-held", "lab-service", "lab-openssl-ish", "lab-orphan")


def build_repositories() -> None:
    """Build all packages, install the old versions, then leave apt with the lab's own sources only."""
    for package in catalogue():
        build(package)
    with tempfile.TemporaryDirectory() as home:
        for suite in SUITES:
            publish(suite, Path(home))
    own_sources()
    run("apt-get", "update")
    run("apt-get", "install", "-qy", *(f"{name}=1.0" for name in INSTALLED))
    run("apt-mark", "hold", "lab-held")
    run("apt-mark", "auto", "lab-orphan")
    run("systemctl", "enable", "lab-service.service")
    write("/etc/apt/sources.list.d/lab-unsigned.list.disabled", f"deb file:{UNSIGNED} {NONE} main\n")


def pool(suite: str) -> Path:
    return (UNSIGNED if suite == NONE else ROOT) / "pool" / suite


def build(package: Package) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        for path, text in package.files.items():
            write(folder + path, text, mode=0o755 if "/bin/" in path else 0o644)
        write(f"{folder}/DEBIAN/control", control(package))
        for name, text in package.scripts.items():
            write(f"{folder}/DEBIAN/{name}", text, mode=0o755)
        if package.conffiles:
            write(f"{folder}/DEBIAN/conffiles", package.conffiles)
        pool(package.suite).mkdir(parents=True, exist_ok=True)
        run("dpkg-deb", "--root-owner-group", "-Znone", "--build", folder, str(pool(package.suite)))


def control(package: Package) -> str:
    depends = f"Depends: {package.depends}\n" if package.depends else ""
    return (
        f"Package: {package.name}\nVersion: {package.version}\nArchitecture: all\nSection: admin\nPriority: optional\n"
        f"Maintainer: The lab <lab@example.invalid>\n{depends}Description: {package.summary}\n"
    )


def publish(suite: str, home: Path) -> None:
    root = UNSIGNED if suite == NONE else ROOT
    folder = root / "dists" / suite
    architecture = run("dpkg", "--print-architecture").strip()
    index = folder / "main" / f"binary-{architecture}" / "Packages"
    scan = run("sh", "-c", f"cd {root} && apt-ftparchive packages pool/{suite}")
    write(str(index), scan)
    fields = {**SUITES[suite], "Architectures": architecture, "Components": "main"}
    release = "".join(f"{key}: {value}\n" for key, value in fields.items())
    date = run("date", "-Ru", "--date=1 day ago").strip().replace("+0000", "UTC")
    release += f"Date: {date}\nSHA256:\n {checksum(index)} {index.relative_to(folder)}\n"
    write(str(folder / "Release"), release)
    if suite != NONE:
        sign(folder, home)


def checksum(index: Path) -> str:
    data = index.read_bytes()
    return f"{hashlib.sha256(data).hexdigest()} {len(data)}"


def sign(folder: Path, home: Path) -> None:
    gpg = (
        "gpg",
        "--homedir",
        str(home),
        "--batch",
        "--yes",
        "--quiet",
        "--pinentry-mode",
        "loopback",
        "--passphrase",
        "",
    )
    if not Path(KEYRING).exists():
        home.chmod(0o700)
        run(*gpg, "--quick-gen-key", "Lab repository <lab@example.invalid>", "ed25519", "sign", "never")
        run(*gpg, "--output", KEYRING, "--export")
        # Kept readable to root, so that a rehearsal can publish one more upgrade.
        run(*gpg, "--output", str(ROOT / "signing-key.gpg"), "--export-secret-keys")
        (ROOT / "signing-key.gpg").chmod(0o600)
    run(*gpg, "--clearsign", "--output", str(folder / "InRelease"), str(folder / "Release"))


def own_sources() -> None:
    for path in Path("/etc/apt/sources.list.d").iterdir():
        path.unlink()
    signed = f"[signed-by={KEYRING}]"
    lines = [f"deb {signed} file:{ROOT} {suite} main\n" for suite in (MAIN, SECURITY)]
    write("/etc/apt/sources.list", "".join(lines))
    write("/etc/apt/apt.conf.d/20lab", 'Acquire::Languages "none";\nAPT::Install-Recommends "false";\n')
    shutil.rmtree("/var/lib/apt/lists")
    Path("/var/lib/apt/lists").mkdir()
    for archive in Path("/var/cache/apt").rglob("*.deb"):
        archive.unlink()
