"""Where runs leave what stays of them: the state folder, private to its owner."""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from opsplay.errors import Fault, OpsError

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
JOURNAL = "journal.jsonl"


def state_dir(explicit: str | None = None, environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> Path:
    """$OPSPLAY_STATE, else ./.opsplay where it is there and ours alone, else ~/.local/state/opsplay (XDG)."""
    env = os.environ if environ is None else environ
    named = explicit or env.get("OPSPLAY_STATE")
    if named:
        return Path(named).expanduser().absolute()
    local = (cwd or Path.cwd()) / ".opsplay"
    if _ours(local):
        return local
    base = env.get("XDG_STATE_HOME") or ""
    home = Path(base) if os.path.isabs(base) else Path(env.get("HOME") or "~").expanduser() / ".local" / "state"
    return home / "opsplay"


def _ours(path: Path) -> bool:
    """A folder that nobody else can have planted."""
    try:
        info = path.lstat()
    except OSError:
        return False
    return (
        stat.S_ISDIR(info.st_mode) and info.st_uid == os.geteuid() and not info.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )


def make_private(path: Path) -> Path:
    """The folder, made with mode 0700. Raises OpsError with the remedy."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.stat().st_mode & 0o077:
            path.chmod(0o700)
    except OSError as error:
        raise OpsError(
            "state-folder-not-usable",
            f"the state folder {path} cannot be used: {error.strerror or error}",
            remedy="Set OPSPLAY_STATE to a folder of your own on a disk with room.",
            fault=Fault.USAGE,
        ) from error
    return path


def new_run_id(at: float | None = None) -> str:
    """Unique, sorts by time, fits a file name: 20261122-100000-a1b2c3 (UTC)."""
    moment = datetime.now(UTC) if at is None else datetime.fromtimestamp(at, UTC)
    return f"{moment:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def run_dir(state: Path, run_id: str) -> Path:
    """The folder of a run. Raises OpsError for an id that is no plain name."""
    if not _RUN_ID.fullmatch(run_id):
        raise OpsError(
            "bad-run-id",
            f"{run_id!r} is no run id",
            remedy="List the runs with: opsplay history list",
            fault=Fault.USAGE,
        )
    return state / "runs" / run_id


def journal_path(state: Path, run_id: str) -> Path:
    return run_dir(state, run_id) / JOURNAL
