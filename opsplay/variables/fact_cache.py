"""FactCache: the facts of earlier runs on disk, one JSON file a host, as `fact_caching = jsonfile` asks for."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from opsplay.settings import Settings

GATHERED = "_ansible_facts_gathered"  # Ansible's own mark of facts that a whole gathering brought
MOST = 64 * 1024 * 1024

Warn = Callable[[str], None]


class NoFactCache:
    """`memory`: what a run learns is gone when it ends."""

    def load(self, host: str) -> dict[str, Any]:
        return {}

    def store(self, host: str, facts: Mapping[str, Any], gathered: bool) -> None:
        pass

    def forget(self, host: str) -> None:
        pass


class FactCache(NoFactCache):
    """Only data, never code; a file of somebody else, a broken one or an old one counts as none."""

    def __init__(self, folder: Path, prefix: str, seconds: int, warn: Warn) -> None:
        self.folder = folder
        self.prefix = prefix
        self.seconds = seconds  # 0: for ever
        self.warn = warn

    def path(self, host: str) -> Path:
        name = quote(self.prefix + host, safe=" @:+,[]")
        return self.folder / (f"%2E{name[1:]}" if name.startswith(".") else name)

    def load(self, host: str) -> dict[str, Any]:
        path = self.path(host)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            return {}
        except OSError as error:
            return self._ignored(path, error.strerror or str(error))
        try:
            return self._read(path, descriptor)
        finally:
            os.close(descriptor)

    def _read(self, path: Path, descriptor: int) -> dict[str, Any]:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return self._ignored(path, "it is no file")
        if self.seconds and time.time() - found.st_mtime > self.seconds:
            return {}
        if found.st_uid not in (os.geteuid(), 0):
            return self._ignored(path, f"it belongs to user {found.st_uid}, not to you")
        if found.st_size > MOST:
            return self._ignored(path, "it is larger than 64 MiB")
        try:
            with open(descriptor, "rb", closefd=False) as file:
                facts = json.loads(file.read())
        except (OSError, ValueError, RecursionError) as error:
            return self._ignored(path, f"it is no JSON ({error})")
        return facts if isinstance(facts, dict) else self._ignored(path, "it is no mapping of facts")

    def _ignored(self, path: Path, why: str) -> dict[str, Any]:
        self.warn(f"The cached facts in {path} are ignored: {why}. They are written anew when facts are gathered.")
        return {}

    def store(self, host: str, facts: Mapping[str, Any], gathered: bool) -> None:
        """Atomically, and for nobody else to read: facts tell much about a host."""
        kept = {**facts, **({GATHERED: True} if gathered else {})}
        temporary = ""
        try:
            descriptor, temporary = tempfile.mkstemp(prefix=".opsplay-", dir=self.folder)
            with open(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(json.dumps(kept, default=str, sort_keys=True))
            os.replace(temporary, self.path(host))
        except (OSError, ValueError, TypeError, RecursionError) as error:
            self.warn(f"The facts of {host} cannot be kept in {self.folder}: {error}")
            if temporary:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)

    def forget(self, host: str) -> None:
        try:
            self.path(host).unlink(missing_ok=True)
        except OSError as error:
            self.warn(f"The cached facts of {host} cannot be removed: {error}")


def fact_cache(settings: Settings, warn: Warn) -> NoFactCache:
    """The cache that the settings ask for; where it cannot be used, a warning and none."""
    name = settings.fact_caching.removeprefix("ansible.builtin.").removeprefix("ansible.legacy.")
    if name == "memory":
        return NoFactCache()
    if name != "jsonfile":
        warn(
            f"Unable to load the facts cache plugin '{settings.fact_caching}': there are memory and jsonfile. Facts are kept for this run only."
        )
        return NoFactCache()
    if not settings.fact_caching_connection:
        warn(
            "fact_caching = jsonfile needs fact_caching_connection, the folder to write to. Facts are kept for this run only."
        )
        return NoFactCache()
    folder = Path(settings.fact_caching_connection).expanduser()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        pass  # the next check says it
    if not (folder.is_dir() and os.access(folder, os.R_OK | os.W_OK | os.X_OK)):
        warn(
            f"error in 'jsonfile' cache, configured path ({folder}) does not have necessary permissions (rwx), disabling plugin"
        )
        return NoFactCache()
    return FactCache(folder, settings.fact_caching_prefix, settings.fact_caching_timeout, warn)
