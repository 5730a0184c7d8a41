"""Scratch: a private folder for trying a backup out, run as nobody and without a network; gone afterwards.

A folder whose maker is dead (killed, rebooted) is removed by the next run, with the server that may still run in it.
Travels to hosts: Python 3.6 syntax.
"""

import os
import pwd
import re
import shutil
import signal
import stat
import sys
import tempfile
import time

from opsplay.remote.spec import ModuleFailure

NAME = re.compile(r"^opsplay-scratch-(\d+)-(\d+)-")


class Scratch(object):
    """Use as a context manager. Commands run by `run` are those of an ordinary user with no network.

    The folder is root's, so that nobody can place a link where root writes; `home` in it is the ordinary user's.
    """

    def __init__(self, system, parent, user):
        self.system = system
        self.parent = parent
        self.account = _account(user)
        self.path = None
        self.home = None

    def __enter__(self):
        remove_leftovers(self.parent, self.account.pw_uid)
        prefix = "opsplay-scratch-%d-%d-" % (os.getpid(), started(os.getpid()))
        self.path = tempfile.mkdtemp(prefix=prefix, dir=self.parent)
        os.chmod(self.path, 0o711)
        self.home = self.at("home")
        os.mkdir(self.home, 0o700)
        self.give(self.home)
        return self

    def __exit__(self, *_):
        stop_server(self.path, self.account.pw_uid)
        shutil.rmtree(self.path, ignore_errors=True)

    def at(self, *names):
        return os.path.join(self.path, *names)

    def give(self, path):
        """Let the ordinary user own a file (or an empty folder) we made."""
        if os.geteuid() == 0:
            os.chown(path, self.account.pw_uid, self.account.pw_gid, follow_symlinks=False)

    def give_tree(self, path):
        """And a whole tree: chown goes by descriptors, so that what it gave already cannot lead it elsewhere."""
        if os.geteuid() == 0:
            done = self.system.run(["chown", "-R", "-h", "-P", "%d:%d" % (self.account.pw_uid, self.account.pw_gid), path])
            if done.rc:
                raise ModuleFailure(done.stderr.strip()[-300:])

    def put(self, name, text):
        """Append text to a file in `home`, as the ordinary user."""
        done = self.run(["sh", "-c", 'cat >>"$1"', "sh", os.path.join(self.home, name)], input=text)
        if done.rc:
            raise ModuleFailure(done.stderr.strip()[-300:])

    def run(self, argv, timeout=None, input=None, as_root=False):
        """The Run of a command; `as_root` only for what drops its rights itself."""
        words = self._without_network() + ([] if as_root else self._as_user()) + list(argv)
        environment = {name: None for name in os.environ if name.startswith("PG")}
        environment.update(HOME=self.home, TMPDIR=self.home, LC_ALL="C")
        return self.system.run(words, cwd=self.home, environment=environment, timeout=timeout, input=input)

    def _as_user(self):
        if os.geteuid() != 0:
            return []
        if self.system.which("setpriv"):
            return ["setpriv", "--reuid=%d" % self.account.pw_uid, "--regid=%d" % self.account.pw_gid, "--clear-groups", "--"]
        return ["runuser", "-u", self.account.pw_name, "--"]

    def _without_network(self):
        if os.geteuid() != 0 or not self.system.which("unshare"):
            return []
        return ["unshare", "-n", "--"] if self.system.run(["unshare", "-n", "true"]).rc == 0 else []

    def probe(self, request, timeout):
        """backup_probe in a process of its own."""
        import json

        from opsplay.remote import backup_probe
        source = _source_of(backup_probe)
        request = dict(request, uid=self.account.pw_uid, gid=self.account.pw_gid, seconds=timeout)
        done = self.run([sys.executable, "-I", "-S", "-c", source], timeout=timeout + 5, input=json.dumps(request), as_root=True)
        try:
            return json.loads(done.stdout)
        except ValueError:
            last = (done.stderr.strip() or "it ended with status %s" % done.rc).splitlines()[-1]
            return {"problems": ["timed out" if done.timed_out else last[:300]]}


def _source_of(module):
    """Its text, also where it came over the wire and is on no disk."""
    if os.path.exists(module.__file__):
        with open(module.__file__) as stream:
            return stream.read()
    return module.__loader__.get_source(module.__name__)


def _account(user):
    try:
        return pwd.getpwnam(user) if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    except KeyError:
        raise ModuleFailure("no user is called %s: name an ordinary one by scratch_user" % user)


def started(pid):
    """When a process began, in ticks since boot; with its id it names it for good."""
    with open("/proc/%d/stat" % pid, "rb") as stream:
        return int(stream.read().rpartition(b")")[2].split()[19])


def remove_leftovers(parent, uid):
    for name in os.listdir(parent):
        match = NAME.match(name)
        path = os.path.join(parent, name)
        if not match or _alive(int(match.group(1)), int(match.group(2))):
            continue
        status = os.lstat(path)
        if stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid():
            stop_server(path, uid)
            shutil.rmtree(path, ignore_errors=True)


def _alive(pid, ticks):
    try:
        return started(pid) == ticks
    except OSError:
        return False


def stop_server(path, uid):
    """End every process of the ordinary user that stands in this folder: the scratch server and its children."""
    for _ in range(100):
        pids = [pid for pid in _standing_in(path, uid)]
        if not pids:
            return
        for pid in pids:
            try:
                os.kill(pid, signal.SIGQUIT if _ < 50 else signal.SIGKILL)
            except OSError:
                pass
        time.sleep(0.05)


def _standing_in(path, uid):
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            where = os.readlink("/proc/%s/cwd" % entry)
            if os.stat("/proc/%s" % entry).st_uid == uid and (where + "/").startswith(path + "/"):
                yield int(entry)
        except OSError:
            continue
