"""What openssl_privatekey, openssl_csr and x509_certificate share: one file that openssl made, kept with its attributes."""

import os

from opsplay.remote.file_attributes import apply_attributes, desired_attributes, observe_attributes
from opsplay.remote.spec import ModuleFailure


def run_openssl(system, words, **options):
    """Its standard output. Passphrases go by the environment (env:NAME), never by the command line."""
    if system.which("openssl") is None:
        raise ModuleFailure('Failed to find required executable "openssl" in paths: install openssl on the host')
    run = system.run(["openssl"] + words, **options)
    if run.rc != 0:
        raise ModuleFailure("openssl %s failed: %s" % (words[0], run.stderr.strip()), rc=run.rc, stdout=run.stdout, stderr=run.stderr)
    return run.stdout


def require_folder(path):
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise ModuleFailure("The directory %s does not exist or the file is not a directory" % folder, name=folder)


def removed(system, args, result):
    """The result of state absent."""
    there = system.lstat(args.path) is not None
    if there and not system.check:
        if args.backup:
            result["backup_file"] = system.backup(args.path)
        system.remove(args.path)
    result["changed"] = there
    if system.diff and there:
        result["diff"] = {"before": {"path": args.path, "state": "file"}, "after": {"path": args.path, "state": "absent"}}
    return result


def kept(system, args, result, text, why):
    """Write the text where `why` says that what is there will not do, and keep the attributes; the result."""
    before, after = ({}, {}) if not why else ({"content": "as it was" if system.stat(args.path) is not None else "none"}, {"content": why})
    if why and not system.check:
        if args.backup and system.stat(args.path) is not None:
            result["backup_file"] = system.backup(args.path)
        system.write(args.path, text, mode=int(str(args.mode), 8) if str(args.mode or "").isdigit() else None)
    now = observe_attributes(system, args.path)
    if now:
        asked = desired_attributes(system, args, args.path, now)
        differing = {key: value for key, value in asked.items() if now.get(key) != value}
        if differing and not system.check:
            apply_attributes(system, args.path, differing)
        before.update({key: now.get(key) for key in differing})
        after.update(differing)
    result["changed"] = bool(after)
    if system.diff and after:
        result["diff"] = {"before": before, "after": after}
    return result
