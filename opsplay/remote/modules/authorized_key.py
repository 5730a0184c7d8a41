"""Add or remove public keys of a user's authorized_keys."""

import os
import re

from opsplay.remote import accounts, home_files
from opsplay.remote.spec import Choice, Flag, ModuleFailure, Path, Spec, Text

SPEC = Spec(
    args={"user": Text(required=True), "key": Text(required=True, text="Public keys, one a line, or a URL of such."),
          "path": Path(text="Another file than ~/.ssh/authorized_keys."), "manage_dir": Flag(default=True),
          "state": Choice("absent", "present", default="present"), "key_options": Text(), "exclusive": Flag(default=False),
          "comment": Text(), "validate_certs": Flag(default=True), "follow": Flag(default=False)},
    returns={"keyfile": "The file.", "key": "The keys.", "key_options": "Options.", "user": "The user."},
    examples=["authorized_key: {user: deploy, key: 'ssh-ed25519 AAAA... me@desk'}"],
    notes=("Links below the user's home are refused, because the user could lead root elsewhere by them.",),
)
TYPES = re.compile(r"^(ssh-(rsa|dss|ed25519|xmss)(-cert-v0[01])?(@openssh\.com)?|ecdsa-sha2-nistp\d+(-cert-v01@openssh\.com)?|"
                   r"sk-(ssh-ed25519|ecdsa-sha2-nistp256)(-cert-v01)?@openssh\.com)$")


class Key(object):
    """One line of the file: a comment (no blob), or options, type, blob and comment."""

    def __init__(self, line):
        self.line = line
        self.options, self.kind, self.blob, self.comment = "", "", "", ""
        if not line.strip() or line.lstrip().startswith("#"):
            return
        words = _split(line.strip())
        at = next((index for index, word in enumerate(words) if TYPES.match(word)), None)
        if at is not None and at + 1 < len(words):
            self.options, self.kind, self.blob = " ".join(words[:at]), words[at], words[at + 1]
            self.comment = " ".join(words[at + 2:])

    def text(self):
        return " ".join(part for part in (self.options, self.kind, self.blob, self.comment) if part)


def _split(line):
    """Words; blanks inside quotes belong to the word (options hold them)."""
    return re.findall(r'(?:[^\s"\\]|\\.|"(?:[^"\\]|\\.)*")+', line)


def observe(system, args):
    place = _place(system, args)
    with_place = {"file": place["path"], "content": _read(system, place), "keys": _wanted_lines(system, args)}
    return with_place


def _place(system, args):
    entry = accounts.user(system, args.user)
    if entry is None:
        if not (system.check and args.path):
            raise ModuleFailure("Failed to lookup user %s: no such user" % args.user)
    home = entry.pw_dir if entry is not None else "/nonexistent"
    path = args.path or os.path.join(home, ".ssh", "authorized_keys")
    path = os.path.expanduser(path)
    if args.follow:
        path = os.path.realpath(path)
    inside = os.path.commonpath([os.path.abspath(path), os.path.abspath(home)]) == os.path.abspath(home)
    return {"path": path, "home": home, "inside": inside and not args.follow, "entry": entry}


def _open(place, make=False):
    """The open folder that holds the file, or None."""
    folder_path, _ = os.path.split(os.path.abspath(place["path"]))
    if not place["inside"]:
        if make and not os.path.isdir(folder_path):
            os.makedirs(folder_path, 0o700)
            os.chown(folder_path, place["entry"].pw_uid, place["entry"].pw_gid)
        return home_files.open_folder(folder_path)
    names = os.path.relpath(folder_path, os.path.abspath(place["home"])).split(os.sep)
    owner = (place["entry"].pw_uid, place["entry"].pw_gid) if make else None
    return home_files.walk(place["home"], [name for name in names if name != "."], owner)


def _read(system, place):
    folder = _open(place)
    if folder is None:
        return None
    with folder:
        data = folder.read(os.path.basename(place["path"]))
    return None if data is None else data.decode("utf-8", "surrogateescape")


def _wanted_lines(system, args):
    text = args.key
    if re.match(r"^(https?|ftp|file)://", text):
        text = _download(args, text)
    keys = [Key(line) for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    for key in keys:
        if not key.blob:
            raise ModuleFailure("invalid key specified: %s" % key.line)
    return keys


def _download(args, url):
    import ssl
    import urllib.request
    context = None if args.validate_certs else ssl._create_unverified_context()
    try:
        with urllib.request.urlopen(url, timeout=30, context=context) as answer:
            return answer.read(1 << 20).decode("utf-8")
    except (OSError, ValueError) as error:
        raise ModuleFailure("Error getting key from: %s: %s" % (url, error))


def desired(args, before):
    lines = (before["content"] or "").splitlines()
    edited = _edit(args, lines, before["keys"])
    if edited == lines:
        return {}
    return {"content": "\n".join(edited) + "\n" if edited else ""}


def _edit(args, lines, wanted):
    present = [Key(line) for line in lines]
    if args.state == "absent":
        gone = set(key.blob for key in wanted)
        return [key.line for key in present if not key.blob or key.blob not in gone]
    for key in wanted:
        if args.key_options is not None:
            key.options = args.key_options
        if args.comment is not None:
            key.comment = args.comment
    blobs = {key.blob: key for key in wanted}
    result, done = [], set()
    for key in present:
        if key.blob in blobs and key.blob not in done:
            done.add(key.blob)
            result.append(_merged(args, key, blobs[key.blob]))
        elif (not args.exclusive and key.blob not in done) or (args.exclusive and not key.blob):
            result.append(key.line)
    return result + [key.text() for key in wanted if key.blob not in done]


def _merged(args, old, new):
    """A key that is there keeps its line, unless options or comment are to be others."""
    same_options = old.options == new.options
    same_comment = (args.comment is None and (not new.comment or old.comment == new.comment)) or old.comment == new.comment
    return old.line if same_options and same_comment else new.text()


def apply(system, args, change):
    place = _place(system, args)
    uid, gid = place["entry"].pw_uid, place["entry"].pw_gid
    folder = _open(place, make=args.manage_dir)
    if folder is None:
        raise ModuleFailure("the folder of %s is not there, and manage_dir is false" % place["path"])
    name = os.path.basename(place["path"])
    with folder:
        if args.manage_dir and place["inside"]:
            folder.own(".", 0o700, uid, gid)
        old = folder.status(name)
        mode = old.st_mode & 0o777 if old is not None and not args.manage_dir else 0o600
        folder.write(name, change.wanted["content"].encode("utf-8", "surrogateescape"), mode, uid, gid)


def report(args, before, after):
    return {"key": args.key, "key_options": args.key_options, "keyfile": before["file"], "user": args.user,
            "exclusive": args.exclusive, "manage_dir": args.manage_dir, "path": args.path, "state": args.state,
            "comment": args.comment, "follow": args.follow, "validate_certs": args.validate_certs}


def difference(args, before, after):
    return {"before": before["content"] or "", "after": after["content"] or "", "before_header": before["file"],
            "after_header": before["file"]}
