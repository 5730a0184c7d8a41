"""The world of a case: builds it, takes its fingerprint, compares it. Standard library only: it also runs on lab hosts."""

# ruff: noqa: UP031

import base64
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys


def build(top, world):
    """An empty folder filled with what the case says is there."""
    os.makedirs(top, mode=0o755, exist_ok=True)
    os.chmod(top, 0o755)
    files = world.get("files") or {}
    for name, entry in files.items():
        if not (isinstance(entry, dict) and "hard" in entry):
            make(os.path.join(top, name), entry if isinstance(entry, dict) else {"content": entry})
    for name, entry in files.items():
        if isinstance(entry, dict) and "hard" in entry:
            os.link(os.path.join(top, entry["hard"]), os.path.join(top, name))
    for command in world.get("commands") or ():
        run(top, command)
    for name, entry in files.items():
        if isinstance(entry, dict) and "mtime" in entry:
            os.utime(os.path.join(top, name), (entry["mtime"], entry["mtime"]))


def make(path, entry):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if "link" in entry:
        os.symlink(entry["link"], path)
        return
    if entry.get("directory"):
        os.makedirs(path, exist_ok=True)
    elif entry.get("fifo"):
        os.mkfifo(path)
    else:
        with open(path, "wb") as handle:
            handle.write(content(entry))
    os.chmod(path, int(str(entry.get("mode", "0755" if entry.get("directory") else "0644")), 8))
    if "owner" in entry or "group" in entry:
        shutil.chown(path, entry.get("owner"), entry.get("group"))


def content(entry):
    if "base64" in entry:
        return base64.b64decode(entry["base64"])
    if "size" in entry:  # the same bytes every time, and not compressible
        blocks = (hashlib.sha512(b"%d" % number).digest() for number in range(entry["size"] // 64 + 1))
        return b"".join(blocks)[:entry["size"]]
    return str(entry.get("content", "")).encode("utf-8", "surrogateescape")


def run(top, command):
    done = subprocess.run(["sh", "-ec", command], cwd=top, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise AssertionError("%s gave %d: %s" % (command, done.returncode, done.stdout.decode("utf-8", "replace")))
    return done.stdout.decode("utf-8", "replace")


def fingerprint(top, watch=()):
    """Everything below top that a module could have changed, and what the watch commands say."""
    seen = {".": entry_of(top)}
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            path = os.path.join(folder, name)
            seen[os.path.relpath(path, top)] = entry_of(path)
    seen["watch"] = [output(top, command) for command in watch]
    return seen


def entry_of(path):
    found = os.lstat(path)
    entry = [stat.S_IFMT(found.st_mode), stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid, found.st_nlink,
             found.st_ino, found.st_mtime_ns, sorted(os.listxattr(path, follow_symlinks=False))]
    if stat.S_ISLNK(found.st_mode):
        entry.append(os.readlink(path))
    elif stat.S_ISREG(found.st_mode):
        with open(path, "rb") as handle:
            entry.append(hashlib.sha1(handle.read()).hexdigest())
    return entry


def output(top, command):
    done = subprocess.run(["sh", "-c", command], cwd=top, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    return [done.returncode, done.stdout.decode("utf-8", "replace")]


def problems(top, then):
    """What is not as the case says it is afterwards."""
    found = []
    for name, entry in (then.get("files") or {}).items():
        found.extend(compare(os.path.join(top, name), name, entry))
    for command in then.get("commands") or ():
        code, text = output(top, command)
        if code:
            found.append("%s gave %d: %s" % (command, code, text))
    return found


def compare(path, name, entry):
    if entry is None:
        return ["%s is there" % name] if os.path.lexists(path) else []
    if not os.path.lexists(path):
        return ["%s is missing" % name]
    entry = entry if isinstance(entry, dict) else {"content": entry}
    facts = actual(path, entry)
    return ["%s: %s is %r, not %r" % (name, key, facts.get(key), value) for key, value in entry.items() if facts.get(key) != value]


def actual(path, entry):
    import grp
    import pwd

    found = os.lstat(path)
    facts = {"directory": stat.S_ISDIR(found.st_mode), "mode": "%04o" % stat.S_IMODE(found.st_mode),
             "mtime": int(found.st_mtime), "size": found.st_size}
    if stat.S_ISLNK(found.st_mode):
        facts["link"] = os.readlink(path)
        found = os.stat(path) if "content" in entry and os.path.exists(path) else found
    if "content" in entry or "base64" in entry:
        with open(path, "rb") as handle:
            data = handle.read()
        facts.update(content=data.decode("utf-8", "surrogateescape"), base64=base64.b64encode(data).decode())
    if "hard" in entry:
        other = os.stat(os.path.join(os.path.dirname(path), entry["hard"]))
        facts["hard"] = entry["hard"] if other.st_ino == found.st_ino else "another file"
    if "owner" in entry:
        facts["owner"] = pwd.getpwuid(found.st_uid).pw_name
    if "group" in entry:
        facts["group"] = grp.getgrgid(found.st_gid).gr_name
    return facts


def remove(top, cleanup=()):
    for command in cleanup:
        output(top if os.path.isdir(top) else "/", command)
    subprocess.run(["chattr", "-R", "-f", "-i", "-a", top], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    shutil.rmtree(top, ignore_errors=True)


VERBS = {"build": build, "fingerprint": fingerprint, "problems": problems, "remove": remove}

if __name__ == "__main__":  # on a lab host: [verb, arguments...] as JSON on stdin
    verb, *arguments = json.load(sys.stdin)
    json.dump(VERBS[verb](*arguments), sys.stdout)
