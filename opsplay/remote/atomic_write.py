"""Replaces a file's content so that a crash, a full disk or a reader only ever meets the old or the new one."""

import errno
import fcntl
import grp
import os
import pwd
import stat
import time

from opsplay.remote import trusted_path
from opsplay.remote.spec import ModuleFailure

_CANNOT_RENAME = (errno.EBUSY, errno.EXDEV, errno.ETXTBSY, errno.EACCES, errno.EPERM)


def write_file(system, path, data, mode, owner, group, unsafe, validate, links):
    """See System.write. `data` may be a Received: then its file takes the place, and nothing is copied."""
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogateescape")
    path = _through_links(path, links)
    folder, name = os.path.split(os.path.abspath(path))
    directory = open_directory(folder)
    try:
        if hasattr(data, "settle"):
            if _take_over(system, directory, folder, name, data, (mode, owner, group), validate):
                return
            data = data.view()
        try:
            temporary = _write_beside(system, directory, folder, name, data, (mode, owner, group), validate)
        except ModuleFailure as failure:
            if not unsafe or failure.result.get("errno") not in _CANNOT_RENAME or not os.path.isfile(path):
                raise
            _write_in_place(path, data)  # nothing new can be made in the folder (chattr +i), and the file itself takes it
            return
        try:
            _put_in_place(directory, temporary, name, path, data, unsafe)
        except BaseException:
            _forget(directory, temporary)
            raise
    finally:
        os.close(directory)


def _through_links(path, links):
    if not os.path.islink(path):
        if os.path.isdir(path):
            raise ModuleFailure("%s is a directory, not a file" % path)
        return path
    if links == "follow":
        return trusted_path.resolve(path)
    if links == "replace":
        return path
    raise ModuleFailure("%s is a symbolic link to %s; it is neither followed nor replaced unless asked"
                        % (path, os.readlink(path)))


def open_directory(folder):
    """A descriptor of the folder, found without links that are not trusted. Raises ModuleFailure."""
    try:
        return trusted_path.open_folder(folder)
    except OSError as error:
        raise ModuleFailure("Destination directory %s does not exist or cannot be opened: %s"
                            % (folder, error.strerror))


def _take_over(system, directory, folder, name, received, wanted, validate):
    """Whether the file that came in pieces could take the place; otherwise its content has to be written there."""
    received.end()
    _finish(system, received.fd, directory, (folder, name), received.path, wanted, validate)
    try:
        os.rename(received.name, name, src_dir_fd=received.directory, dst_dir_fd=directory)
    except OSError as error:
        if error.errno in _CANNOT_RENAME:  # another file system, a bind mount: writing says what is wrong, or finds a way
            return False
        raise ModuleFailure("cannot replace %s: %s" % (os.path.join(folder, name), error.strerror), errno=error.errno)
    received.settle()
    _sync_folder(directory)
    return True


def _write_beside(system, directory, folder, name, data, wanted, validate):
    """The name of a finished temporary file in the folder: written, synced, checked, with its final attributes."""
    drop_abandoned(directory, name)
    temporary = ".%s.opsplay-%s" % (name[:150], os.urandom(12).hex())
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=directory)
    except OSError as error:
        raise ModuleFailure("cannot write in %s: %s" % (folder, error.strerror), errno=error.errno)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)  # it dies with us: who can take it knows that we are gone
        _write_all(fd, data, os.path.join(folder, name))
        _finish(system, fd, directory, (folder, name), os.path.join(folder, temporary), wanted, validate)
    except BaseException:
        _forget(directory, temporary)
        raise
    finally:
        os.close(fd)
    return temporary


def _finish(system, fd, directory, place, temporary, wanted, validate):
    """The content is there: checked, with its final attributes, on the disk."""
    if validate:
        _validate(system, validate, temporary)
    _dress(system, fd, directory, place[1], *wanted)
    _sync(fd, os.path.join(*place))


def drop_abandoned(directory, name):
    """Removes the temporary files for this name whose writers were killed."""
    prefix = ".%s.opsplay-" % name[:150]
    try:
        names = os.listdir(directory)
    except OSError:  # a folder that may be written but not read
        return
    for other in names:
        if not other.startswith(prefix) or len(other) != len(prefix) + 24:
            continue
        try:
            fd = os.open(other, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory)
        except OSError:
            continue
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(other, dir_fd=directory)
        except OSError:  # somebody is at it
            pass
        finally:
            os.close(fd)


def _write_all(fd, data, path):
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(fd, view[:1024 * 1024]):]
    except OSError as error:
        raise ModuleFailure("cannot write %d bytes for %s: %s; the file is as it was"
                            % (len(data), path, error.strerror), errno=error.errno)


def _sync(fd, path):
    """Some file systems find only now that there is no room."""
    try:
        os.fsync(fd)
    except OSError as error:
        raise ModuleFailure("cannot write %s: %s; the file is as it was" % (path, error.strerror), errno=error.errno)


def _validate(system, command, temporary):
    import shlex
    if "%s" not in command:
        raise ModuleFailure("validate must contain %%s: %s" % command)
    argv = [part.replace("%s", temporary) for part in shlex.split(command)]
    run = system.run(argv)
    if run.rc != 0:
        raise ModuleFailure("failed to validate", exit_status=run.rc, stdout=run.stdout, stderr=run.stderr)


def _dress(system, fd, directory, name, mode, owner, group):
    """Owner, extended attributes (ACLs are some) and mode, in this order: chown clears bits, an ACL sets the mask."""
    old = _old_status(directory, name)
    uid = user_id(owner) if owner is not None else (old.st_uid if old else -1)
    gid = group_id(group) if group is not None else (old.st_gid if old else -1)
    _chown(system, fd, uid, gid, asked=owner is not None or group is not None)
    if old is not None:
        _copy_extended(fd, directory, name)
    if mode is None:
        mode = stat.S_IMODE(old.st_mode) if old is not None else 0o666 & ~current_umask()
    os.fchmod(fd, mode)


def _old_status(directory, name):
    try:
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except OSError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def _chown(system, fd, uid, gid, asked):
    now = os.fstat(fd)
    if uid in (-1, now.st_uid) and gid in (-1, now.st_gid):
        return
    try:
        os.fchown(fd, uid, gid)
    except OSError as error:
        if asked:
            raise ModuleFailure("chown failed: %s" % error.strerror)
        system.warn("the file's owner or group could not be kept: %s" % error.strerror)


def _copy_extended(fd, directory, name):
    if not hasattr(os, "listxattr"):
        return
    try:
        source = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory)
    except OSError:
        return
    try:
        for attribute in _names(source):
            _copy_one(source, fd, attribute)
    finally:
        os.close(source)


def _names(fd):
    try:
        return os.listxattr(fd)
    except OSError:
        return []


def _copy_one(source, target, attribute):
    try:
        os.setxattr(target, attribute, os.getxattr(source, attribute))
    except OSError:
        if attribute.startswith(("user.", "system.posix_acl")):
            raise ModuleFailure("the file's extended attribute %s could not be kept" % attribute)


def _put_in_place(directory, temporary, name, path, data, unsafe):
    try:
        os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
    except OSError as error:
        if error.errno not in _CANNOT_RENAME or not unsafe:
            hint = "; unsafe_writes: true writes in place" if error.errno in _CANNOT_RENAME else ""
            raise ModuleFailure("cannot replace %s: %s%s" % (path, error.strerror, hint), errno=error.errno)
        _write_in_place(path, data)
        _forget(directory, temporary)
        return
    _sync_folder(directory)


def _sync_folder(directory):
    try:
        os.fsync(directory)
    except OSError:  # some file systems cannot sync a folder
        pass


def _write_in_place(path, data):
    with trusted_path.parent(path) as (folder, name):
        fd = os.open(name, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW, dir_fd=folder)
    try:
        _write_all(fd, data, path)
        _sync(fd, path)
    finally:
        os.close(fd)


def _forget(directory, temporary):
    try:
        os.unlink(temporary, dir_fd=directory)
    except OSError:
        pass


def backup_file(system, path):
    """Copies `path` to path.PID.DATE@TIME~ with the same owner, mode and content."""
    if not os.path.exists(path):
        return ""
    stamp = time.strftime("%Y-%m-%d@%H:%M:%S~", time.localtime())
    target = "%s.%d.%s" % (path, os.getpid(), stamp)
    status = os.stat(path)
    write_file(system, target, system.read(path), stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, False,
               None, "refuse")
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
    return target


def current_umask():
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


def user_id(owner):
    """The uid of a name or number. Raises ModuleFailure for a user that is not there."""
    return _identity(owner, lambda name: pwd.getpwnam(name).pw_uid, "chown failed: failed to look up user %s")


def group_id(group):
    """The gid of a name or number. Raises ModuleFailure for a group that is not there."""
    return _identity(group, lambda name: grp.getgrnam(name).gr_gid, "chgrp failed: failed to look up group %s")


def _identity(name, look_up, complaint):
    text = str(name)
    try:
        return look_up(text)
    except (KeyError, ValueError):
        if text.isdigit():
            return int(text)
        raise ModuleFailure(complaint % text)
