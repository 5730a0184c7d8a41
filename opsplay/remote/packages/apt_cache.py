"""apt's package lists: how old they are, and bringing them up to date."""

import os
import time

from opsplay.remote.packages import apt_lock
from opsplay.remote.spec import ModuleFailure

LISTS = "/var/lib/apt/lists"
STAMP = "/var/lib/apt/periodic/update-success-stamp"


def updated_at(system):
    """Seconds since the epoch of the last successful update; 0 where there was none."""
    for path in (STAMP, LISTS):
        found = system.stat(path)
        if found is not None:
            lists = system.stat(LISTS)
            return int(max(found.st_mtime, lists.st_mtime if lists is not None else 0))
    return 0


def is_due(system, args):
    """An update is asked for, and the lists are older than cache_valid_time."""
    if not args.update_cache and not args.cache_valid_time:
        return False
    return updated_at(system) + (args.cache_valid_time or 0) <= time.time() or not args.cache_valid_time


def refresh(system, args, apt):
    """`apt-get update`, tried again with growing pauses while a server fails; raises when it never worked.

    True when the lists are others than before.
    """
    before = _contents(system)
    pause = 1.0
    attempts = max(1, args.update_cache_retries or 1)
    for attempt in range(attempts):
        run = apt.patience.run(lambda: system.run(["apt-get", "-q", "update"], environment=apt.environment),
                               apt_lock.LIST_LOCKS)
        reason = _reason(run)
        if reason is None:
            _stamp()
            return _contents(system) != before
        if attempt + 1 < attempts and not _is_hopeless(reason):
            time.sleep(min(pause, args.update_cache_retry_max_delay or 12))
            pause *= 2
        else:
            break
    problem = "lock apt for exclusive operation" if apt_lock.FORBIDDEN.search(reason) else "update apt cache"
    raise ModuleFailure("Failed to %s: %s" % (problem, reason), rc=run.rc, stdout=run.stdout, stderr=run.stderr)


def _contents(system):
    """The lists as they are: apt keeps a file, with its time, as long as the archive says that nothing changed."""
    found = {}
    for name in system.listdir(LISTS) if system.stat(LISTS) is not None else ():
        status = system.stat(os.path.join(LISTS, name))
        if name not in ("lock", "partial", "auxfiles") and status is not None:
            found[name] = (status.st_mtime, status.st_size)
    return found


def _reason(run):
    """Why an update did not work; apt-get says rc 0 when a list could not be fetched and an old one is kept."""
    lines = (run.stderr + "\n" + run.stdout).splitlines()
    bad = [line[3:] for line in lines if line.startswith("E: ")
           or (line.startswith("W: ") and ("Failed to fetch" in line or "Some index files failed" in line))]
    if run.rc == 0 and not bad:
        return None
    return " ".join(bad) or run.stderr.strip() or "unknown reason"


def _is_hopeless(reason):
    """Trying again does not help against a missing signature or a repository that is not there."""
    return any(sign in reason for sign in ("is not signed", "does not have a Release file", "NO_PUBKEY", "Malformed",
                                           "could not be read", "EXPKEYSIG", "Permission denied"))


def _stamp():
    """apt leaves the times alone when nothing was new; cache_valid_time counts from the last look."""
    try:
        os.utime(LISTS, None)
    except OSError:
        pass
