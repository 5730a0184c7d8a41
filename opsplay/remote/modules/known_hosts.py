"""Add or remove ssh host keys in a known_hosts file."""

import base64
import fnmatch
import hashlib
import hmac
import os
import stat

from opsplay.remote.spec import Choice, Flag, ModuleFailure, Path, Spec, Text

SPEC = Spec(
    args={"name": Text(required=True, aliases=("host",)), "key": Text(text="Whole line: name type key."),
          "path": Path(default="~/.ssh/known_hosts"), "hash_host": Flag(default=False),
          "state": Choice("absent", "present", default="present")},
    required_if=(("state", "present", ("key",)),),
    returns={"name": "The host.", "path": "The file.", "state": "State.", "hash_host": "Whether names are hashed."},
    examples=["known_hosts: {name: db1, key: 'db1 ssh-ed25519 AAAA...'}"],
)


def _path(args):
    return os.path.expanduser(args.path)


def observe(system, args):
    if "," in args.name:
        raise ModuleFailure("Comma separated list of names is not supported. "
                            "Please pass a single name to lookup in the known_hosts file.")
    path = _path(args)
    found = system.lstat(path)
    if found is not None and stat.S_ISLNK(found.st_mode):
        raise ModuleFailure("%s is a symbolic link; it is not followed: name the file itself" % path)
    return {"content": system.read_text(path) if system.stat(path) is not None else None}


def desired(args, before):
    lines = (before["content"] or "").splitlines()
    wanted = _keys(args)
    if args.state == "absent":
        kept = [line for line in lines if not _concerns(line, args.name, wanted, removing=True)]
    else:
        kept = _with_keys(lines, args, wanted)
    if kept == lines:
        return {}
    return {"content": "\n".join(kept) + "\n" if kept else ""}


def _keys(args):
    """[(marker, type, key)] of the lines of `key`; each must be of the host that the task names."""
    keys = []
    for line in (args.key or "").splitlines():
        words = line.split()
        if not words or line.startswith("#"):
            continue
        marker = words.pop(0) if words[0].startswith("@") else ""
        if len(words) == 2:
            words.insert(0, args.name)  # type and key alone
        if len(words) < 3:
            raise ModuleFailure("the key must be a line of known_hosts: name type key")
        if args.state == "present" and not _names(words[0], args.name):
            raise ModuleFailure("Host parameter does not match hashed host field in supplied key",
                                key_of=words[0])
        keys.append((marker, words[1], words[2]))
    if args.state == "present" and not keys:
        raise ModuleFailure("No key specified when adding a host")
    return keys


def _names(field, host):
    if field.startswith("|1|"):
        _, _, salt, digest = field.split("|")
        expected = hmac.new(base64.b64decode(salt), host.encode(), hashlib.sha1).digest()
        return base64.b64encode(expected).decode() == digest
    return any(fnmatch.fnmatchcase(host, pattern) for pattern in field.split(",") if not pattern.startswith("!"))


def _parse(line):
    """(marker, names, type, key) of a line, None of a comment."""
    words = line.split()
    if not words or words[0].startswith("#"):
        return None
    marker = words.pop(0) if words[0].startswith("@") else ""
    return (marker, words[0], words[1], words[2]) if len(words) > 2 else None


def _concerns(line, host, wanted, removing=False):
    entry = _parse(line)
    if entry is None or not _names(entry[1], host):
        return False
    if removing:
        return not wanted or (entry[0], entry[2], entry[3]) in wanted
    if entry[0]:  # a host may have several authorities, and several revoked keys, of one type
        return (entry[0], entry[2], entry[3]) in wanted
    return any((entry[0], entry[2]) == key[:2] for key in wanted)


def _with_keys(lines, args, wanted):
    """A line of the host with the same type is replaced where the key, or the hashing, differs."""
    result = []
    there = set()
    for line in lines:
        entry = _parse(line)
        if entry is None or not _concerns(line, args.name, wanted):
            result.append(line)
            continue
        key = (entry[0], entry[2], entry[3])
        hashed = entry[1].startswith("|1|")
        if key in wanted and hashed == bool(args.hash_host) and key not in there:
            there.add(key)
            result.append(line)
    return result + [_line(args, key) for key in wanted if key not in there]


def _line(args, key):
    field = args.name
    if args.hash_host:
        salt = os.urandom(20)
        digest = hmac.new(salt, args.name.encode(), hashlib.sha1).digest()
        field = "|1|%s|%s" % (base64.b64encode(salt).decode(), base64.b64encode(digest).decode())
    return " ".join(([key[0]] if key[0] else []) + [field, key[1], key[2]])


def apply(system, args, change):
    path = _path(args)
    folder = os.path.dirname(path)
    if system.lstat(folder) is None:
        system.mkdir(folder, 0o700)
    mode = 0o644 if system.lstat(path) is None else None
    system.write(path, change.wanted["content"].encode("utf-8", "surrogateescape"), mode=mode)


def report(args, before, after):
    return {"name": args.name, "path": _path(args), "state": args.state, "hash_host": args.hash_host, "key": args.key,
            "diff": difference(args, before, after)}  # this module gives its diff always


def difference(args, before, after):
    return {"before": before["content"] or "", "after": after["content"] or "",
            "before_header": _path(args) if before["content"] is not None else "/dev/null",
            "after_header": _path(args) if after["content"] is not None else "/dev/null"}
