"""Add and remove keys of rpm."""

import re

from opsplay.remote.spec import Choice, Flag, Listing, ModuleFailure, Spec, Text

SPEC = Spec(args={"key": Text(required=True, text="URL, path or id."), "state": Choice("absent", "present", default="present"),
                  "validate_certs": Flag(default=True), "fingerprint": Listing()},
            returns={}, examples=["rpm_key: {key: /etc/pki/rpm-gpg/RPM-GPG-KEY-example}"])
KEY_ID = re.compile(r"^(0x)?[0-9A-Fa-f]{8,40}$")


def act(system, args):
    if KEY_ID.match(args.key):
        if args.state == "present":
            raise ModuleFailure("a key id alone is not enough to add a key")
        identity, path = re.sub("^0x", "", args.key).upper(), None
    else:
        path = _fetch(system, args)
        fingerprints = _fingerprints(system, path)
        wanted = [re.sub(r"\s", "", one).upper() for one in args.fingerprint or ()]
        if wanted and not set(wanted) & set(fingerprints):
            raise ModuleFailure("The specified fingerprint, '%s', does not match any key fingerprints in '%s'"
                                % (", ".join(wanted), ", ".join(fingerprints)))
        identity = fingerprints[0]
    held = _held(system, identity)
    changed = bool(held) == (args.state == "absent")
    if changed and not system.check:
        argv = ["rpm", "--import", path] if args.state == "present" else ["rpm", "--erase", "--allmatches"] + held
        run = system.run(argv)
        if run.rc != 0:
            raise ModuleFailure("%s failed: %s" % (" ".join(argv), run.stderr.strip()), rc=run.rc)
    return {"changed": changed}


def _fetch(system, args):
    if "://" not in args.key:
        if system.stat(args.key) is None:
            raise ModuleFailure("Not a valid key %s" % args.key)
        return args.key
    import os
    import ssl
    import urllib.request
    context = None if args.validate_certs else ssl._create_unverified_context()
    try:
        with urllib.request.urlopen(args.key, timeout=30, context=context) as answer:
            data = answer.read(1 << 20)
    except (OSError, ValueError) as error:
        raise ModuleFailure("failed to fetch key at %s, error was: %s" % (args.key, error))
    path = os.path.join(system.temporary(), "key.asc")
    system.write(path, data, mode=0o600)
    return path


def _fingerprints(system, path):
    run = system.run(["gpg", "--no-tty", "--batch", "--homedir", system.temporary(), "--with-colons", "--show-keys", path])
    found = [line.split(":")[9] for line in run.stdout.splitlines() if line.startswith("fpr:")]
    if not found:
        raise ModuleFailure("Not a valid key %s: %s" % (path, run.stderr.strip()))
    return found


def _held(system, identity):
    """gpg-pubkey-VERSION-RELEASE packages whose version is the end of the key's id (older rpm) or the id itself."""
    run = system.run(["rpm", "-q", "gpg-pubkey"])
    names = run.stdout.split() if run.rc == 0 else []
    return [name for name in names if name.startswith("gpg-pubkey-")
            and _matches(name.split("-")[2].upper(), identity)]


def _matches(version, identity):
    return identity.endswith(version) or version.endswith(identity) or identity[-16:-8] == version
