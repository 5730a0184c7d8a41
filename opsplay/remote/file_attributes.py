"""Owner, group, mode and attributes of files, for every module that writes some; Ansible's documented semantics."""

import grp
import pwd
import re
import stat

from opsplay.remote.atomic_write import current_umask, group_id, user_id
from opsplay.remote.spec import ModuleFailure

KEYS = ("owner", "group", "mode", "attributes")


def mode_text(mode):
    """As Ansible writes it of files: a 0, and then the digits that there are: 0644, 01777."""
    return "0%03o" % stat.S_IMODE(mode)


def observe_attributes(system, path, follow=False, attributes=False):
    """{} where there is nothing, else owner and group (names, or ids without one), mode ("0644"), uid, gid.

    `attributes` True asks lsattr too, for the key `attributes` ("e", "ai").
    """
    status = system.stat(path) if follow else system.lstat(path)
    if status is None:
        return {}
    found = {
        "owner": user_name(status.st_uid), "group": group_name(status.st_gid), "uid": status.st_uid,
        "gid": status.st_gid, "mode": mode_text(status.st_mode), "islink": stat.S_ISLNK(status.st_mode),
        "isdir": stat.S_ISDIR(status.st_mode),
    }
    if attributes:
        found["attributes"] = _list_attributes(system, path)
    return found


def desired_attributes(system, args, path, observed):
    """The keys of owner, group, mode, attributes that the args ask for, in the form of observe_attributes.

    `observed` {} means that the path is still to be made; give {"isdir": True} for a folder to be made.
    """
    wanted = {}
    if args.get("owner") is not None:
        wanted["owner"] = _wanted_name(system, args["owner"], "user", user_id, user_name, observed)
    if args.get("group") is not None:
        wanted["group"] = _wanted_name(system, args["group"], "group", group_id, group_name, observed)
    mode = args.get("mode")
    if mode is not None and mode != "preserve" and not observed.get("islink"):
        wanted["mode"] = mode_text(wanted_mode(mode, observed))
    if args.get("attributes"):
        old = observed.get("attributes")
        if old is None:
            old = _list_attributes(system, path) if observed.get("mode") else ""
        wanted["attributes"] = wanted_flags(args["attributes"], old)
    return wanted


def apply_attributes(system, path, change, follow=False):
    """Makes it so for those of the keys that `change` (a dict, or perform.Change) holds. chown clears bits: mode last."""
    wanted = getattr(change, "wanted", change)
    if "owner" in wanted or "group" in wanted:
        uid = user_id(wanted["owner"]) if "owner" in wanted else -1
        gid = group_id(wanted["group"]) if "group" in wanted else -1
        _complain("chown failed", path, lambda: system.chown(path, uid, gid, follow=follow))
    if "mode" in wanted or "owner" in wanted or "group" in wanted:
        _set_mode(system, path, wanted, getattr(change, "before", {}))
    if "attributes" in wanted:
        _change_attributes(system, path, wanted["attributes"])


def _set_mode(system, path, wanted, before):
    mode = wanted.get("mode") or before.get("mode")
    if mode is not None and not before.get("islink"):
        _complain("chmod failed", path, lambda: system.chmod(path, int(mode, 8)))


def _complain(what, path, action):
    try:
        action()
    except OSError as error:
        raise ModuleFailure("%s: %s: %s" % (what, path, error.strerror), path=path)


def user_name(uid):
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid):
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _wanted_name(system, asked, kind, identify, name_of, observed):
    """The name as it will be observed. In check mode an unknown one may be made by an earlier task, before the file is."""
    try:
        number = identify(asked)
    except ModuleFailure:
        if system.check:
            system.warn("failed to look up %s %s. Create %s up to this point in real play" % (kind, asked, kind))
        if not system.check or "mode" in observed:
            raise
        return str(asked)
    name = name_of(number)
    if system.check and name == str(number):
        what = "%s with %sid %s" % (kind, kind[0], number)
        system.warn("failed to look up %s. Create %s up to this point in real play" % (what, kind))
    return name


# -- modes

_CLAUSE = re.compile(r"^(a|[ugo]*)((?:[-+=](?:[ugo]|[rwxXst]*))+)$")
_ACTION = re.compile(r"([-+=])([ugo]|[rwxXst]*)")
_ALL = 0o7777
_WHOSE = {"u": 0o4700, "g": 0o2070, "o": 0o1007, "a": _ALL}
_LETTERS = {"r": 0o444, "w": 0o222, "x": 0o111, "X": 0, "s": 0o6000, "t": 0o1000}
_SHIFT = {"u": 6, "g": 3, "o": 0}


def wanted_mode(mode, observed):
    """The permission bits as an int: from an int, octal text or symbolic text (u+rwX,g-w)."""
    if isinstance(mode, bool) or isinstance(mode, float):
        raise ModuleFailure("mode must be octal in quotes or symbolic, not %r" % (mode,))
    if isinstance(mode, int):
        bits = mode
    else:
        text = str(mode).strip()
        try:
            bits = int(text, 8)
        except ValueError:
            return symbolic_mode(text, _old_mode(observed), bool(observed.get("isdir")))
    if not 0 <= bits <= 0o7777:
        raise ModuleFailure("mode %r is out of range: quote it, as in '0644'" % (mode,))
    return bits


def _old_mode(observed):
    if observed.get("mode"):
        return int(observed["mode"], 8)
    return (0o777 if observed.get("isdir") else 0o666) & ~current_umask()


def symbolic_mode(text, old, isdir):
    """What chmod makes of the mode `old`. Without u, g, o or a the umask's bits stay as they are."""
    mode = old
    for clause in text.split(","):
        match = _CLAUSE.match(clause)
        if not match or not clause:
            raise ModuleFailure("mode must be in octal or symbolic form", details="bad symbolic permission for mode: %s" % text)
        who, actions = match.groups()
        for operator, letters in _ACTION.findall(actions):
            mode = _act(mode, who, operator, letters, isdir)
    return mode


def _act(mode, who, operator, letters, isdir):
    """One action as chmod does it: without a who the umask limits it; a folder keeps set-id bits that are not named."""
    affected = 0
    for user in who:
        affected |= _WHOSE[user]
    kept = 0o6000 if isdir and "s" not in letters else 0
    bits = _bits(mode, letters, isdir) & (affected if who else ~current_umask()) & ~kept
    if operator == "+":
        return mode | bits
    if operator == "-":
        return mode & ~bits
    untouched = (_ALL & ~affected if who else 0) | kept
    return mode & untouched | bits


def _bits(mode, letters, isdir):
    """What the letters mean for everybody."""
    if letters in _SHIFT:
        return (mode >> _SHIFT[letters] & 7) * 0o111
    bits = 0
    for letter in letters:
        bits |= _LETTERS[letter]
    if "X" in letters and (isdir or mode & 0o111):
        bits |= 0o111
    return bits


# -- chattr

def wanted_flags(asked, old):
    """The flags, sorted, that +ai, -i, =i or i (like =i) make of `old`."""
    operator, letters = (asked[0], asked[1:]) if asked[0] in "+-=" else ("=", asked)
    if not letters.isalpha() and letters:
        raise ModuleFailure("bad attributes: %s" % asked)
    now = set(old)
    kept = {"+": now | set(letters), "-": now - set(letters)}.get(operator)
    if kept is None:
        kept = set(letters) | (now & {"e"})  # e (extents) cannot be taken away
    return "".join(sorted(kept))


def _list_attributes(system, path):
    program = system.which("lsattr")
    if program is None:
        return ""
    run = system.run([program, "-d", "--", path])
    if run.rc != 0 or not run.stdout.split():
        return ""
    return "".join(sorted(run.stdout.split()[0].replace("-", "")))


def _change_attributes(system, path, wanted):
    program = system.which("chattr")
    if program is None:
        raise ModuleFailure("chattr is not installed on the host", path=path)
    now = set(_list_attributes(system, path))
    for operator, letters in (("+", set(wanted) - now), ("-", now - set(wanted) - {"e"})):
        if letters:
            run = system.run([program, operator + "".join(sorted(letters)), "--", path])
            if run.rc != 0:
                raise ModuleFailure("chattr failed: %s" % (run.stderr.strip() or run.stdout.strip()), path=path)
