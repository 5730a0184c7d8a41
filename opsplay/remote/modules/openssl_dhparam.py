"""Make Diffie-Hellman parameters by openssl."""

import os
import re

from opsplay.remote.file_attributes import apply_attributes, desired_attributes, observe_attributes
from opsplay.remote.spec import Choice, Flag, Integer, ModuleFailure, Path, Spec, Text

SPEC = Spec(
    args={
        "path": Path(required=True, text="The file."), "state": Choice("present", "absent", default="present"),
        "size": Integer(default=4096, text="Bits."), "force": Flag(default=False, text="Make them anew."), "backup": Flag(default=False),
        "select_crypto_backend": Choice("auto", "cryptography", "openssl", default="auto"), "return_content": Flag(default=False),
    },
    returns={"filename": Text(), "size": Integer(), "backup_file": Text(), "dhparams": Text()},
    examples=("openssl_dhparam: {path: /etc/ssl/dhparam.pem, size: 2048}",),
    file_arguments=True,
)
BITS = re.compile(r"\((\d+) bit\)")


def act(system, args):
    if system.which("openssl") is None:
        raise ModuleFailure('Failed to find required executable "openssl" in paths: install openssl on the host')
    result = {"changed": False, "filename": args.path, "size": args.size}
    there = system.stat(args.path) is not None
    if args.state == "absent":
        result["changed"] = there
        return _absent(system, args, result) if there else result
    size = _size(system, args.path) if there else None
    due = args.force or size != args.size
    if due and not system.check:
        _make(system, args, result, there)
    attributes = _keep_attributes(system, args)
    result["changed"] = bool(attributes[1]) or due
    if args.return_content and system.stat(args.path) is not None:
        result["dhparams"] = system.read_text(args.path)
    if system.diff and result["changed"]:
        result["diff"] = {"before": dict(attributes[0], size=size), "after": dict(attributes[1], size=args.size)}
    return result


def _absent(system, args, result):
    if not system.check:
        if args.backup:
            result["backup_file"] = system.backup(args.path)
        system.remove(args.path)
    if system.diff:
        result["diff"] = {"before": {"path": args.path, "state": "file"}, "after": {"path": args.path, "state": "absent"}}
    return result


def _size(system, path):
    run = system.run(["openssl", "dhparam", "-check", "-text", "-noout", "-in", path])
    found = BITS.search(run.stdout)
    return int(found.group(1)) if run.rc == 0 and found else None


def _make(system, args, result, there):
    folder = os.path.dirname(args.path) or "."
    if not os.path.isdir(folder):
        raise ModuleFailure("The directory '%s' does not exist or the file is not a directory" % folder, name=folder)
    made = os.path.join(system.temporary(within=folder), "dhparam.pem")
    run = system.run(["openssl", "dhparam", "-out", made, str(args.size)])
    if run.rc != 0:
        raise ModuleFailure(run.stderr.strip(), rc=run.rc)
    if there and args.backup:
        result["backup_file"] = system.backup(args.path)
    system.chmod(made, 0o644)
    system.rename(made, args.path)


def _keep_attributes(system, args):
    now = observe_attributes(system, args.path)
    if not now:
        return {}, {}
    asked = desired_attributes(system, args, args.path, now)
    differing = {key: value for key, value in asked.items() if now.get(key) != value}
    if differing and not system.check:
        apply_attributes(system, args.path, differing)
    return {key: now.get(key) for key in differing}, differing
