"""Make a pair of OpenSSH keys, and keep it as asked."""

import os
import re

from opsplay.remote.file_attributes import apply_attributes, desired_attributes, observe_attributes
from opsplay.remote.spec import Choice, Flag, Integer, ModuleFailure, Path, Spec, Text

SPEC = Spec(
    args={
        "path": Path(required=True, text="The private key; the public one lies beside it, with .pub at its end."),
        "state": Choice("present", "absent", default="present"),
        "type": Choice("rsa", "dsa", "rsa1", "ecdsa", "ed25519", default="rsa"),
        "size": Integer(text="Bits: 4096 for RSA, 256 for ECDSA where not given; Ed25519 has one size."),
        "comment": Text(), "passphrase": Text(secret=True),
        "force": Flag(default=False, text="Make it anew even if it is as asked."),
        "regenerate": Choice("never", "fail", "partial_idempotence", "full_idempotence", "always", default="partial_idempotence"),
        "private_key_format": Choice("auto", "pkcs1", "pkcs8", "ssh", default="auto"), "backend": Choice("auto", "cryptography", "opensshbin", default="auto"),
    },
    returns={"filename": Text(), "type": Text(), "size": Integer(), "fingerprint": Text(), "public_key": Text(), "comment": Text()},
    examples=("openssh_keypair: {path: /home/app/.ssh/id_ed25519, type: ed25519}",),
    file_arguments=True,
)
SIZES = {"rsa": 4096, "rsa1": 4096, "dsa": 1024, "ecdsa": 256, "ed25519": 256}
TOLD = re.compile(r"^(\d+) (\S+) (.*) \((\S+)\)$")


def act(system, args):
    if args.state == "absent":
        return _absent(system, args)
    _require_program(system)
    size = args.size or SIZES[args.type]
    before = _pair(system, args)
    wrong = _wrong(args, before, size)
    anew = args.force or args.regenerate == "always" or before is None or bool(wrong and args.regenerate in ("partial_idempotence", "full_idempotence"))
    if wrong and not anew and args.regenerate == "fail":
        raise ModuleFailure("Key has wrong type and/or size. Will not proceed. To force regeneration, call the module with `regenerate` set to "
                            "`partial_idempotence`, `full_idempotence` or `always`, or with `force=true`.")
    if before is not None and before.get("unreadable") and not anew:
        raise ModuleFailure("Unable to read the key. The key is protected with a passphrase or broken. Will not proceed. To force regeneration, "
                            "call the module with `regenerate` set to `full_idempotence` or `always`, or with `force=true`.")
    changed = anew or _comment_differs(args, before)
    if changed and not system.check:
        _make(system, args, size) if anew else _set_comment(system, args)
    if args.mode is None:
        args = type(args)(args, mode="0600")
    shown = ({}, {})
    if changed:
        shown = _shown(args, before or {}, size)
    _keep_attributes(system, args, shown)
    return _result(system, args, bool(shown[1]), shown, size)


def _absent(system, args):
    there = [path for path in (args.path, args.path + ".pub") if system.lstat(path) is not None]
    if not system.check:
        for path in there:
            system.remove(path)
    return _with_diff(system, {"changed": bool(there), "filename": args.path}, {"files": there}, {})


def _require_program(system):
    if system.which("ssh-keygen") is None:
        raise ModuleFailure('Failed to find required executable "ssh-keygen" in paths: install openssh-client on the host')


def _pair(system, args):
    """What ssh-keygen tells of the pair; None where there is none."""
    if system.stat(args.path) is None:
        return None
    if os.path.isdir(args.path):
        raise ModuleFailure("%s is a directory. Please specify a path to a file." % args.path)
    run = _public_half(system, args)
    told = TOLD.match(system.run(["ssh-keygen", "-lf", args.path]).stdout.strip())
    if run.rc != 0 or told is None:
        return {"unreadable": True}
    public = system.read_text(args.path + ".pub").strip() if system.stat(args.path + ".pub") is not None else ""
    words = public.split(None, 2)
    return {"size": int(told.group(1)), "fingerprint": told.group(2), "type": told.group(4).lower(), "public_key": " ".join(run.stdout.split()[:2]),
            "public": " ".join(words[:2]), "comment": words[2] if len(words) > 2 else ""}


def _public_half(system, args):
    """Of a file that others may read ssh-keygen would not even tell the public half: a private copy is asked then."""
    words = ["ssh-keygen", "-y", "-P", args.passphrase or "", "-f"]
    run = system.run(words + [args.path])
    if run.rc == 0 or "UNPROTECTED" not in run.stderr:
        return run
    copied = os.path.join(system.temporary(), "key")
    system.write(copied, system.read(args.path), mode=0o600)
    return system.run(words + [copied])


def _wrong(args, before, size):
    if before is None:
        return False
    if before.get("unreadable"):
        return args.regenerate == "full_idempotence"
    return before["type"] != args.type or before["size"] != size


def _comment_differs(args, before):
    return (args.comment is not None and before["comment"] != args.comment) or before["public"] != before["public_key"]


def _make(system, args, size):
    folder = os.path.dirname(args.path) or "."
    if not os.path.isdir(folder):
        raise ModuleFailure("The directory %s does not exist or the file is not a directory" % folder, name=folder)
    made = os.path.join(system.temporary(within=folder), "key")
    words = ["ssh-keygen", "-q", "-N", args.passphrase or "", "-t", args.type, "-C", args.comment or "", "-f", made]
    words += [] if args.type == "ed25519" else ["-b", str(size)]
    words += {"pkcs1": ["-m", "PEM"], "pkcs8": ["-m", "PKCS8"]}.get(args.private_key_format, [])
    run = system.run(words)
    if run.rc != 0:
        raise ModuleFailure(run.stderr.strip() or run.stdout.strip(), rc=run.rc)
    system.rename(made + ".pub", args.path + ".pub")
    system.rename(made, args.path)


def _set_comment(system, args):
    run = _public_half(system, args)
    old = system.read_text(args.path + ".pub").split(None, 2) if system.stat(args.path + ".pub") is not None else []
    comment = args.comment if args.comment is not None else " ".join(old[2:]).strip()
    if args.comment is not None:
        system.run(["ssh-keygen", "-q", "-o", "-c", "-C", comment, "-P", args.passphrase or "", "-f", args.path])
    system.write(args.path + ".pub", ("%s %s" % (" ".join(run.stdout.split()[:2]), comment)).rstrip() + "\n", mode=0o644)


def _shown(args, before, size):
    """What the diff tells of a pair that is made anew or gets its public half again."""
    old = {"type": before.get("type"), "size": before.get("size"), "comment": before.get("comment"), "public_key": before.get("public")}
    new = {"type": args.type, "size": size, "comment": args.comment if args.comment is not None else before.get("comment"), "public_key": "made from the private key"}
    return old, new


def _keep_attributes(system, args, shown):
    """Mode, owner and group of the private key; the public one has the same owner and is for all to read."""
    for path, mode in ((args.path, args.mode), (args.path + ".pub", "0644")):
        now = observe_attributes(system, path)
        if not now:
            continue
        asked = desired_attributes(system, type(args)(args, mode=mode, path=path), path, now)
        differing = {key: value for key, value in asked.items() if now.get(key) != value}
        if differing and not system.check:
            apply_attributes(system, path, differing)
        shown[0].update({"%s of %s" % (key, path): now.get(key) for key in differing})
        shown[1].update({"%s of %s" % (key, path): value for key, value in differing.items()})


def _result(system, args, changed, shown, size):
    after = _pair(system, args) or {}
    found = after if not system.check or not changed else {}
    result = {"changed": changed, "filename": args.path, "type": args.type, "size": found.get("size", size), "fingerprint": found.get("fingerprint", ""),
              "public_key": found.get("public", ""), "comment": found.get("comment", args.comment or "")}
    return _with_diff(system, result, shown[0], shown[1])


def _with_diff(system, result, before, after):
    if system.diff and result["changed"]:
        result["diff"] = {"before": before, "after": after}
    return result
