"""A user's own ssh key pair for the user module: made in a private folder, then put into ~/.ssh without following links."""

import os

from opsplay.remote import home_files
from opsplay.remote.spec import ModuleFailure


def key_path(args, home):
    """The private key's path: ssh_key_file is relative to the home unless it is absolute."""
    name = args.ssh_key_file or os.path.join(".ssh", "id_%s" % (args.ssh_key_type or "rsa"))
    return name if os.path.isabs(name) else os.path.join(home, name)


def _place(path, home):
    """(folder names below the home, file name); a key elsewhere has no folders of the user's."""
    if os.path.commonpath([os.path.abspath(path), home]) == home:
        parts = os.path.relpath(path, home).split(os.sep)
        return home, parts[:-1], parts[-1]
    return os.path.dirname(path), [], os.path.basename(path)


def read_public(path, home):
    """The public key's text, or None where there is no key pair."""
    start, names, name = _place(path, home)
    folder = home_files.walk(start, names)
    if folder is None:
        return None
    with folder:
        if folder.status(name) is None:
            return None
        data = folder.read(name + ".pub")
    return (data or b"").decode("utf-8", "replace").strip()


def is_left_alone(system, args, path, home):
    """Whether a public key lies there without its private one: it is somebody's, and replaced only by force."""
    start, names, name = _place(path, home)
    folder = None if args.force else home_files.walk(start, names)
    if folder is None:
        return False
    with folder:
        found = folder.status(name) is None and folder.status(name + ".pub") is not None
    if found:
        system.warn('Found existing ssh key public file "%s.pub", no force, so skipping ssh-keygen generation' % path)
    return found


def fingerprint(system, public):
    """What `ssh-keygen -l` says."""
    if not public:
        return ""
    return system.run(["ssh-keygen", "-l", "-f", "-"], input=public + "\n").stdout.strip()


def generate(system, args, path, home, uid, gid):
    """Make the pair and put it in place, owned by the user."""
    private = os.path.join(system.temporary(), "key")
    argv = ["ssh-keygen", "-q", "-t", args.ssh_key_type or "rsa", "-C", _comment(args), "-f", private]
    if args.ssh_key_bits:
        argv += ["-b", str(args.ssh_key_bits)]
    phrase = args.ssh_key_passphrase or ""
    if phrase:
        run = system.run(argv, input="%s\n%s\n" % (phrase, phrase))  # by stdin: an argument would be in every `ps`
    else:
        run = system.run(argv + ["-N", ""])
    if run.rc != 0:
        raise ModuleFailure("ssh-keygen failed: %s" % (run.stderr or run.stdout).strip(), rc=run.rc)
    start, names, name = _place(path, home)
    folder = home_files.walk(start, names, owner=(uid, gid))
    if folder is None:
        raise ModuleFailure("the home %s is not there" % start)
    with folder:
        folder.write(name, system.read(private), 0o600, uid, gid)
        folder.write(name + ".pub", system.read(private + ".pub"), 0o644, uid, gid)


def _comment(args):
    return args.ssh_key_comment or "ansible-generated on %s" % os.uname().nodename
