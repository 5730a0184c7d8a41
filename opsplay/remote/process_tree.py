"""The processes that a process started: found by session and parentage, signalled together."""

import os


def signal_all(leader, victims, number):
    """Sends the signal to the leader's process group and to each of the victims."""
    try:
        os.killpg(leader, number)
    except OSError:
        pass
    for pid, _ in victims:
        try:
            os.kill(pid, number)
        except OSError:
            pass


def members(leader):
    """(pid, start time) of the leader, its session, and all descendants, also those that left the session."""
    processes = _processes()
    found = {pid for pid, (_, session, _) in processes.items() if session == leader or pid == leader}
    grew = True
    while grew:
        more = {pid for pid, (parent, _, _) in processes.items() if parent in found} - found
        found |= more
        grew = bool(more)
    return frozenset((pid, processes[pid][2]) for pid in found)


def living(victims):
    """Those of the (pid, start time) pairs that still run."""
    processes = _processes() if victims else {}
    return frozenset((pid, start) for pid, start in victims if processes.get(pid, (0, 0, 0))[2] == start)


def _processes():
    """pid -> (parent, session, start time) of all processes that are no zombies."""
    found = {}
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if not name.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % name, "rb") as handle:
                fields = handle.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if fields and fields[0] not in (b"Z", b"X"):
            found[int(name)] = (int(fields[1]), int(fields[3]), fields[19])
    return found
