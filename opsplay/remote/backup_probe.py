"""Reads a backup file that may be hostile: runs as a process of its own, as nobody, and prints what it found as JSON.

Started as `python3 -I -S -c <this text>` with a JSON request on stdin; imports nothing of ours. Python 3.6 syntax.
"""

import json
import os
import resource
import sys
import time


def main():
    request = json.loads(sys.stdin.read())
    descriptor = os.open(request["path"], os.O_RDONLY)
    import fnmatch  # noqa: F401 - all that is needed is loaded while a Python below /root can still be read
    if request["kind"] == "tar":
        import tarfile  # noqa: F401
    else:
        import sqlite3  # noqa: F401
    drop_rights(request)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    try:
        found = {"tar": probe_tar, "sqlite": probe_sqlite}[request["kind"]](request, descriptor)
    except Exception as problem:
        found = {"problems": ["%s: %s" % (type(problem).__name__, str(problem)[:300])]}
    json.dump(found, sys.stdout)


def drop_rights(request):
    if os.geteuid() == 0 and request["uid"]:
        os.setgroups([])
        os.setgid(request["gid"])
        os.setuid(request["uid"])


def probe_tar(request, descriptor):
    """Every byte of every member is read; nothing is written."""
    import tarfile
    found = {"members": 0, "bytes": 0, "problems": [], "names": []}
    deadline = time.time() + request["seconds"]
    last = -1
    with os.fdopen(descriptor, "rb") as stream, tarfile.open(fileobj=stream, mode="r|*") as archive:
        for member in archive:
            if member.offset <= last or time.time() > deadline or found["bytes"] + member.size > request["limit"] or member.size < 0:
                found["problems"].append("the archive does not end, or unpacks to more than is allowed")
                break
            last = member.offset
            found["members"] += 1
            found["bytes"] += read_member(archive, member)
            judge_member(member, found)
            remember(member.name, request, found)
    return found


def read_member(archive, member):
    if not member.isreg():
        return 0
    source, total = archive.extractfile(member), 0
    for chunk in iter(lambda: source.read(1 << 20), b""):
        total += len(chunk)
    if total != member.size:
        raise EOFError("%s is cut off: %d of %d bytes" % (member.name, total, member.size))
    return total


def judge_member(member, found):
    parts = member.name.split("/")
    if member.name.startswith("/") or ".." in parts:
        found["problems"].append("hostile member: %r leads outside" % member.name[:200])
    if member.islnk() or member.issym():
        base = "" if member.islnk() else os.path.dirname(member.name)
        target = os.path.normpath(os.path.join(base, member.linkname))
        if member.linkname.startswith("/") or target.startswith(".."):
            found["links_outside"] = found.get("links_outside", 0) + 1
            found.setdefault("links", []).append(member.name)
    elif any(member.name.startswith(link + "/") for link in found.get("links", ())):
        found["problems"].append("hostile member: %r is written through a link" % member.name[:200])
    if member.isdev():
        found["problems"].append("hostile member: %r is a device" % member.name[:200])


def remember(name, request, found):
    import fnmatch
    for pattern in request["members"]:
        if fnmatch.fnmatch(name.lstrip("./"), pattern.lstrip("./")) and pattern not in found["names"]:
            found["names"].append(pattern)


def probe_sqlite(request, descriptor):
    """The file is a private copy: a hot journal may be rolled back, nothing outside is reached."""
    import sqlite3
    os.close(descriptor)
    database = sqlite3.connect(request["path"], timeout=5)
    found = {"problems": [], "rows": {}, "answers": []}
    deadline = time.time() + request["seconds"]
    database.set_progress_handler(lambda: time.time() > deadline, 100000)
    database.execute("PRAGMA trusted_schema = OFF")
    checked = [row[0] for row in database.execute("PRAGMA integrity_check(20)")]
    found["problems"] += [] if checked == ["ok"] else ["integrity_check: " + "; ".join(checked)[:300]]
    broken = database.execute("PRAGMA foreign_key_check").fetchmany(5)
    found["problems"] += ["foreign_key_check: %s" % broken] if broken else []
    tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
    for table in tables:
        found["rows"][table] = database.execute('SELECT count(*) FROM "%s"' % table.replace('"', '""')).fetchone()[0]
    for query in request["queries"]:
        try:
            row = database.execute(query).fetchone()
            found["answers"].append({"value": None if row is None else row[0]})
        except sqlite3.Error as problem:
            found["answers"].append({"error": str(problem)})
    return found


if __name__ == "__main__":
    main()
