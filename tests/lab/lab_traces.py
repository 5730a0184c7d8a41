"""What of a lab can be found on this machine, by its id: nothing may be, once it is down."""

from __future__ import annotations

import subprocess
from pathlib import Path

from opsplay.lab import cgroups
from opsplay.lab.ledger import labs_home


def traces_of(lab_id: str) -> list[str]:
    found = [f"link {link.name}" for link in Path("/sys/class/net").iterdir() if lab_id in link.name]
    spaces = Path("/run/netns")
    found += [f"netns {space.name}" for space in spaces.glob(f"*{lab_id}*")] if spaces.is_dir() else []
    found += [f"mount {line}" for line in Path("/proc/self/mounts").read_text().splitlines() if lab_id in line]
    found += [f"group {path}" for mount in cgroups.MOUNTS for path in mount.glob(f"*{lab_id}*")]
    found += [f"process {line}" for line in processes() if lab_id in line]
    found += [f"nspawn {path}" for path in Path("/run/systemd/nspawn").rglob(f"*{lab_id}*")]
    found += [f"home {path}" for path in labs_home().glob(f"{lab_id}*")]
    return found


def processes() -> list[str]:
    """Command line and environment of every process; those of zombies are empty."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "cmdline").read_bytes() + b" " + (folder / "environ").read_bytes()
        except OSError:
            continue
        found.append(f"{folder.name} {text.decode(errors='replace')}")
    return found


def ssh(lab_ssh_config: Path, host: str, command: str, seconds: float = 10) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["ssh", "-F", str(lab_ssh_config), host, command],
        stdin=subprocess.DEVNULL,
        text=True,
        capture_output=True,
        timeout=seconds,
        check=False,
    )
