"""Add and remove apt's signing keys (for archives that still use the shared keyring)."""

import os
import re

from opsplay.remote.spec import Choice, Flag, ModuleFailure, Path, Spec, Text

SPEC = Spec(
    args={"id": Text(), "data": Text(), "file": Path(), "keyring": Path(), "url": Text(), "keyserver": Text(),
          "validate_certs": Flag(default=True), "state": Choice("absent", "present", default="present")},
    exclusive=(("data", "file", "keyserver", "url"),),
    returns={"id": "Key id.", "key_id": "Calculated id.", "short_id": "Its last eight digits.",
             "before": "Keys before.", "after": "Keys after.", "fp": "Fingerprint."},
    examples=["apt_key: {url: 'https://example.org/archive.asc'}"],
    notes=("Deprecated by Debian; prefer deb822_repository with signed_by. gpg alone is needed, not apt-key.",),
)
TRUSTED = "/etc/apt/trusted.gpg.d"


def act(system, args):
    keyring = args.keyring or TRUSTED + "/opsplay.gpg"
    before = _keys(system, args.keyring)
    wanted = _normal(args.id) if args.id else None
    result = {"before": sorted(before), "id": args.id}
    if args.state == "absent":
        if not wanted:
            raise ModuleFailure("key_id is required when state is absent")
        holding = [path for short, path in before.items() if _same(short, wanted)]
        if holding and not system.check:
            for path in holding:
                _delete(system, path, wanted)
        return dict(result, changed=bool(holding), after=sorted(short for short in before if not _same(short, wanted)))
    if wanted and any(_same(fingerprint, wanted) for fingerprint in before):
        return dict(result, changed=False, after=sorted(before), key_id=wanted, short_id=wanted[-8:], fp=wanted)
    data = _material(system, args)
    fingerprints = _fingerprints(system, data)
    if not fingerprints or (wanted and not any(_same(one, wanted) for one in fingerprints)):
        raise ModuleFailure("key does not seem to have been added" if wanted else "the data holds no public key", id=args.id)
    new = [one for one in fingerprints if one not in before]
    if new and not system.check:
        _add(system, keyring, data)
    return dict(result, changed=bool(new), after=sorted(set(before) | set(new)), fp=fingerprints[0],
                key_id=fingerprints[0][-16:], short_id=fingerprints[0][-8:])


def _normal(text):
    text = re.sub(r"\s", "", text).upper()
    text = text[2:] if text.startswith("0X") else text
    if not re.match(r"^[0-9A-F]{8,40}$", text):
        raise ModuleFailure("Invalid key_id", id=text)
    return text


def _same(fingerprint, wanted):
    return fingerprint.endswith(wanted)


def _gpg(system, words, data=None):
    home = system.temporary()
    return system.run(["gpg", "--homedir", home, "--batch", "--no-tty", "--no-default-keyring"] + words, input=data)


def _keys(system, keyring):
    """{fingerprint: path of the keyring that holds it}"""
    paths = [keyring] if keyring else ["/etc/apt/trusted.gpg"] + system.glob(TRUSTED + "/*.gpg") + system.glob(
        TRUSTED + "/*.asc")
    found = {}
    for path in paths:
        if system.stat(path) is not None:
            for fingerprint in _fingerprints(system, system.read(path)):
                found[fingerprint] = path
    return found


def _fingerprints(system, data):
    run = _gpg(system, ["--show-keys", "--with-colons", "--with-fingerprint", "--with-fingerprint"], data)
    return [line.split(":")[9] for line in run.stdout.splitlines() if line.startswith("fpr:")]


def _material(system, args):
    if args.data:
        return args.data.encode()
    if args.file:
        return system.read(args.file)
    if args.url:
        import urllib.request
        try:
            with urllib.request.urlopen(args.url, timeout=30) as answer:
                return answer.read(1 << 20)
        except (OSError, ValueError) as error:
            raise ModuleFailure("error getting key from url: %s: %s" % (args.url, error))
    if not (args.keyserver and args.id):
        raise ModuleFailure("one of data, file, url, or keyserver with id is needed to add a key")
    home = system.temporary()
    base = ["gpg", "--homedir", home, "--batch", "--no-tty"]
    run = system.run(base + ["--keyserver", args.keyserver, "--recv-keys", _normal(args.id)], timeout=60)
    if run.rc != 0:
        raise ModuleFailure("Error fetching key %s from keyserver %s: %s" % (args.id, args.keyserver, run.stderr), rc=run.rc)
    return system.run(base + ["--armor", "--export", _normal(args.id)]).stdout.encode()


def _binary(system, data):
    """apt reads binary keyrings under .gpg."""
    if b"-----BEGIN PGP" not in data:
        return data
    path = os.path.join(system.temporary(), "key.gpg")
    run = system.run(["gpg", "--batch", "--yes", "--dearmor", "-o", path], input=data)
    if run.rc != 0:
        raise ModuleFailure("gpg cannot read the key: %s" % run.stderr.strip())
    return system.read(path)


def _add(system, keyring, data):
    old = system.read(keyring) if system.stat(keyring) is not None else b""
    system.write(keyring, old + _binary(system, data), mode=0o644)


def _delete(system, path, wanted):
    """A keyring that holds nothing else goes; from others the one key is taken."""
    fingerprints = _fingerprints(system, system.read(path))
    others = [one for one in fingerprints if not _same(one, wanted)]
    if not [one for one in others if len(fingerprints) > 1 and not _is_subkey_only(fingerprints, others)]:
        system.remove(path)
        return
    home = system.temporary()
    base = ["gpg", "--homedir", home, "--batch", "--yes", "--no-tty"]
    system.run(base + ["--import"], input=_binary(system, system.read(path)))
    system.run(base + ["--delete-keys", next(one for one in fingerprints if _same(one, wanted))])
    out = os.path.join(system.temporary(), "kept.gpg")
    run = system.run(base + ["--output", out, "--export"])
    if run.rc == 0 and system.stat(out) is not None and system.stat(out).st_size:
        system.write(path, system.read(out), mode=0o644)
    else:
        system.remove(path)


def _is_subkey_only(fingerprints, others):
    return len(others) == len(fingerprints)
