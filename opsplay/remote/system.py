"""System: the only way from a module to its host: processes, files, small facts, warnings."""

import os

from opsplay.remote import trusted_path
from opsplay.remote.spec import ModuleFailure

SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin")
CHUNK = 1024 * 1024


class System:
    """What one step may do on the host. `watch` tells running processes when to end (remote/process.py)."""

    def __init__(self, check=False, diff=False, environment=None, body=None, secret=False, watch=None,
                 output_limit=None, facts=None):
        self.check = check
        self.diff = diff
        self.environment = dict(environment or {})
        self.body = body
        self.secret = secret
        self.warnings = []
        self.deprecations = []
        self._watch = watch
        self._output_limit = output_limit
        self._facts = {} if facts is None else facts
        self._temporary = []

    # -- processes

    def run(self, argv, input=None, cwd=None, environment=None, timeout=None, shell=None, umask=None, locale="C"):
        """Runs a command and returns its Run; a str is given to `shell`. A failing command is no exception.

        `locale` becomes LC_ALL so that output can be parsed; None leaves the login's own. A value of None in
        `environment` removes that variable. Raises ModuleFailure when the command cannot be started.
        """
        from opsplay.remote.process import OUTPUT_LIMIT, Unwatched, run_process
        if isinstance(argv, str):
            argv = [shell or "/bin/sh", "-c", argv]
        else:
            argv = [str(part) for part in argv]
            argv[0] = self._program(argv[0])
        if isinstance(input, str):
            input = input.encode("utf-8", "surrogateescape")
        return run_process(
            argv, self._watch or Unwatched(), input=input, cwd=cwd, environment=self._environment(environment, locale),
            timeout=timeout, umask=umask, limit=self._output_limit or OUTPUT_LIMIT)

    def _program(self, name):
        return name if os.sep in name else self.which(name) or name

    def _environment(self, extra, locale):
        environment = dict(os.environ)
        if locale is not None:
            environment.update(LC_ALL=locale, LANGUAGE="")
        environment.update(self.environment)
        for name, value in (extra or {}).items():
            if value is None:
                environment.pop(name, None)
            else:
                environment[name] = str(value)
        return environment

    def which(self, name):
        """The path of a program in PATH or the sbin folders, or None."""
        if os.sep in name:
            return name if _runnable(name) else None
        path = self.environment.get("PATH") or os.environ.get("PATH") or os.defpath
        folders = path.split(os.pathsep)
        folders += [folder for folder in SBIN if folder not in folders]
        return next(filter(_runnable, (os.path.join(folder, name) for folder in folders if folder)), None)

    # -- reading

    def lstat(self, path):
        """os.stat_result of the path itself, or None where there is nothing."""
        return _status(os.lstat, path)

    def stat(self, path):
        """os.stat_result of what the path leads to, or None where there is nothing."""
        return _status(os.stat, path)

    def read(self, path, limit=None):
        """The bytes of a file, at most `limit` of them. Raises OSError."""
        with open(path, "rb") as handle:
            return handle.read() if limit is None else handle.read(limit)

    def read_text(self, path, limit=None):
        """The text of a file; bytes that are no UTF-8 are kept by surrogate escapes."""
        return self.read(path, limit).decode("utf-8", "surrogateescape")

    def listdir(self, path):
        return sorted(os.listdir(path))

    def readlink(self, path):
        return os.readlink(path)

    def glob(self, pattern):
        import glob
        return sorted(glob.glob(pattern))

    def walk(self, path, follow=False):
        return os.walk(path, followlinks=follow)

    def digest(self, path, algorithm="sha1"):
        """The checksum of a file in hexadecimal; the file is not loaded as a whole."""
        digest = new_digest(algorithm)
        with open(path, "rb") as handle:
            for chunk in iter(lambda: handle.read(CHUNK), b""):
                digest.update(chunk)
        return digest.hexdigest()

    # -- changing

    def write(self, path, data, mode=None, owner=None, group=None, unsafe=False, validate=None, links="refuse"):
        """Replaces the file's content at once: it is OLD or NEW at any moment, whatever happens.

        `mode` an int; `owner` and `group` names or ids. Where not given: those of the old file, else 0666 and the
        umask. `unsafe` writes in place where a replace is impossible (a bind mount). `validate` is a command with %s
        for the new content's path. `links`: what to do when path is a symbolic link: refuse, follow or replace.
        """
        from opsplay.remote.atomic_write import write_file
        write_file(self, path, data, mode, owner, group, unsafe, validate, links)

    def backup(self, path):
        """Copies the file beside itself as `backup: yes` does, and returns the copy's path ("" without a file)."""
        from opsplay.remote.atomic_write import backup_file
        return backup_file(self, path)

    # Each is done relative to a folder that was found without trusting anybody's links (remote/trusted_path.py).

    def mkdir(self, path, mode=0o777):
        with trusted_path.parent(path) as (folder, name):
            os.mkdir(name, mode, dir_fd=folder)

    def remove(self, path):
        """Removes one file or link, never what a link leads to."""
        with trusted_path.parent(path) as (folder, name):
            os.unlink(name, dir_fd=folder)

    def rmdir(self, path):
        with trusted_path.parent(path) as (folder, name):
            os.rmdir(name, dir_fd=folder)

    def rename(self, source, target):
        with trusted_path.parent(source) as (folder, name), trusted_path.parent(target) as (other, new):
            os.rename(name, new, src_dir_fd=folder, dst_dir_fd=other)

    def symlink(self, target, path):
        with trusted_path.parent(path) as (folder, name):
            os.symlink(target, name, dir_fd=folder)

    def link(self, target, path):
        with trusted_path.parent(target) as (folder, name), trusted_path.parent(path) as (other, new):
            os.link(name, new, src_dir_fd=folder, dst_dir_fd=other, follow_symlinks=False)

    def chmod(self, path, mode):
        """Sets the permission bits; a link is never followed, and has none of its own."""
        trusted_path.chmod(path, mode)

    def chown(self, path, uid=-1, gid=-1, follow=False):
        with trusted_path.parent(trusted_path.resolve(path) if follow else path) as (folder, name):
            os.chown(name, uid, gid, dir_fd=folder, follow_symlinks=False)

    def utime(self, path, times=None, follow=False):
        with trusted_path.parent(trusted_path.resolve(path) if follow else path) as (folder, name):
            os.utime(name, times, dir_fd=folder, follow_symlinks=False)

    def rmtree(self, path):
        """Removes a folder and all below it, never through a link."""
        with trusted_path.parent(path) as (folder, name):
            import shutil
            inside = "/proc/self/fd/%d" % folder
            shutil.rmtree(os.path.join(inside, name) if os.path.isdir(inside) else path)

    # -- the rest

    def facts(self, *names):
        """Small facts of this host as a dict, found once per connection (remote/host_facts.py lists them)."""
        from opsplay.remote import host_facts
        for name in names:
            if name not in self._facts:
                self._facts.update(host_facts.find(self, name))
        return {name: self._facts[name] for name in names}

    def warn(self, text):
        if text not in self.warnings:
            self.warnings.append(text)

    def deprecate(self, text):
        self.deprecations.append({"msg": text})

    def temporary(self, within=None):
        """A private folder that is removed after the step; `within` another folder than the system's for such."""
        import tempfile
        try:
            self._temporary.append(tempfile.mkdtemp(prefix="opsplay-", dir=within))
        except OSError as error:
            raise ModuleFailure("no folder for temporary files can be made: %s" % error)
        return self._temporary[-1]

    def clean(self):
        """Ends the step: removes its temporary folders."""
        while self._temporary:
            import shutil
            shutil.rmtree(self._temporary.pop(), ignore_errors=True)


def _runnable(path):
    return os.access(path, os.X_OK) and not os.path.isdir(path)


def new_digest(algorithm):
    import hashlib  # takes as long to load as all of our own files
    try:
        return hashlib.new(algorithm)
    except ValueError:
        raise ModuleFailure("this host's Python has no checksum algorithm %s" % algorithm)


def _status(call, path):
    try:
        return call(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        import errno
        if error.errno == errno.ELOOP:
            return None
        raise
