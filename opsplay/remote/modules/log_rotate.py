"""Rotate logs by size or age without losing a line: rename, recreate, tell the writer, compress, forget the oldest."""

import errno
import os
import re
import signal
import stat
import time

from opsplay.remote import durations, guarded_tree, open_files, rotated_logs
from opsplay.remote.spec import Choice, Flag, Integer, Listing, ModuleFailure, Number, Path, Raw, Spec, Text

SPEC = Spec(
    args={
        "path": Listing(required=True, aliases=("paths", "name"), elements=Path(), text="Logs, or globs of logs."),
        "max_size": Text(text="Rotate at this size: 100M."),
        "max_age": Text(text="Rotate this long after the last rotation: 1d, 4w."),
        "min_size": Text(default="1", text="Leave smaller logs alone; the default is: empty ones."),
        "suffix": Choice("timestamp", "number", default="timestamp", text="app.log.20261121-045501 or app.log.1."),
        "compress": Flag(default=True, text="gzip the rotated copies that nobody writes to any more."),
        "compress_after": Text(default="0s", text="Leave a copy plain for this long."),
        "compress_level": Integer(default=6),
        "keep": Integer(text="Keep this many rotated copies."),
        "retention": Text(text="Delete rotated copies whose last line is older than this: 30d."),
        "pid_file": Path(text="Tell the process whose id is in this file."),
        "process": Text(text="Tell every process of this name."),
        "unit": Text(text="Tell the main process of this systemd unit."),
        "signal": Text(default="HUP", text="What to send to pid_file, process or unit."),
        "service": Text(text="Reload this service instead of sending a signal."),
        "command": Raw(text="Run this (a list, or a line for sh) once after the rotation."),
        "reopen_timeout": Number(default=10.0, text="Seconds to wait until the writers have reopened their log."),
        "copytruncate": Flag(default=False, text="Copy and cut instead, for writers that cannot reopen. Lines can be lost."),
        "missing": Choice("ok", "fail", default="ok", text="What a log that does not exist means."),
    },
    returns={
        "rotated": Listing(text="path, to, size and reason of each rotation."), "compressed": Listing(), "deleted": Listing(),
        "told": Listing(text="Who was told to reopen."), "still_open": Listing(text="Copies somebody still writes to."),
        "bytes_freed": Integer(text="By compression and deletion."), "bytes_at_risk": Integer(text="copytruncate only."),
    },
    examples=(
        "log_rotate: {path: /var/log/app/app.log, max_size: 100M, pid_file: /run/app.pid, keep: 10}",
        "log_rotate: {path: '/var/log/app/*.log', max_age: 1d, unit: app.service, retention: 30d}",
    ),
    exclusive=(("pid_file", "process", "unit", "service", "command"),),
    notes=("A copy is compressed only when no process has it open for writing; otherwise the next run does it.",),
)


def act(system, args):
    rotation = Rotation(system, args)
    try:
        rotation.find()
        rotation.recover()
        rotation.rotate()
        rotation.tell()
        rotation.tidy()
    finally:
        rotation.close()
    result = rotation.result()
    if system.diff and result["changed"]:
        result["diff"] = _difference(result)
    if rotation.problems:
        raise ModuleFailure("; ".join(rotation.problems), **result)
    return result


def _difference(result):
    """The names that go and the names that come."""
    gone = result["deleted"] + [path[:-len(".gz")] for path in result["compressed"]]
    come = result["compressed"] + [rotation["to"] for rotation in result["rotated"]]
    return {"before": "".join(sorted(path + "\n" for path in gone if path not in come)),
            "after": "".join(sorted(path + "\n" for path in come if path not in gone))}


class Log(object):
    """One live log in its open folder; `copies` are kept as they would be where nothing may be changed."""

    def __init__(self, root, folder, name, status):
        self.root = root
        self.folder = folder
        self.name = name
        self.status = status
        self.copies = []

    @property
    def path(self):
        return self.at(self.name)

    def at(self, name):
        return guarded_tree.printable(os.path.join(self.root, name))

    @property
    def key(self):
        return (self.status.st_dev, self.status.st_ino)


class Rotation(object):
    def __init__(self, system, args):
        self.system = system
        self.args = args
        self.now = time.time()
        self.folders = {}
        self.logs = []
        self.fresh = {}  # key -> (log, name) of what was rotated in this run
        self.rotated, self.compressed, self.deleted, self.told, self.still_open, self.problems = [], [], [], [], [], []
        self.freed = self.at_risk = 0

    def close(self):
        for _, folder in self.folders.values():
            os.close(folder)

    def result(self):
        changed = bool(self.rotated or self.compressed or self.deleted)
        return {"changed": changed, "rotated": self.rotated, "compressed": self.compressed, "deleted": self.deleted,
                "told": self.told, "still_open": self.still_open, "bytes_freed": self.freed, "bytes_at_risk": self.at_risk}

    # -- which logs

    def find(self):
        for pattern in self.args.path:
            names = [path for path in self.system.glob(pattern) if not rotated_logs.is_rotated(os.path.basename(path))]
            if not names and self.args.missing == "fail":
                raise ModuleFailure("no log is at %s" % pattern)
            for path in names or self._orphans(pattern):
                self._add(path)

    def _orphans(self, pattern):
        """A log that is gone may still have copies to tidy up."""
        folder = os.path.dirname(pattern)
        return [pattern] if not re.search(r"[*?\[]", pattern) and os.path.isdir(folder) else []

    def _add(self, path):
        parent, name = os.path.split(path)
        if parent not in self.folders:
            self.folders[parent] = guarded_tree.open_folder(parent)
        root, folder = self.folders[parent]
        status = rotated_logs.status_of(folder, name)
        if status is not None and not stat.S_ISREG(status.st_mode):
            if not stat.S_ISDIR(status.st_mode):
                self.system.warn("%s is not a plain file: left alone" % path)
            return
        log = Log(root, folder, name, status)
        log.copies = rotated_logs.rotated_of(folder, name)
        self.logs.append(log)

    def recover(self):
        for log in self.logs:
            for name in rotated_logs.recover(log.folder, log.name, self.system.check):
                self.deleted.append(log.at(name))
                log.copies = [copy for copy in log.copies if copy.name != name]

    # -- rotating

    def rotate(self):
        due = [(log, reason) for log, reason in ((log, self._reason(log)) for log in self.logs if log.status) if reason]
        if due and not self.args.copytruncate:
            self._require_somebody_to_tell([log for log, _ in due])
            due = self._leave_alone_what_nobody_would_reopen(due)
        for log, reason in due:
            self._rotate_one(log, reason)

    def _reason(self, log):
        size, limit = log.status.st_size, durations.size(self.args.max_size, "max_size")
        age = durations.seconds(self.args.max_age, "max_age")
        if size < (durations.size(self.args.min_size, "min_size") or 1):
            return None
        if limit is not None and size >= limit:
            return "%s is at least %s" % (durations.spoken_size(size), self.args.max_size)
        since = self._last_rotation(log) if age is not None else None
        if since is not None and self.now - since >= age:
            return "last rotated %s ago" % durations.spoken(self.now - since) if since else "never rotated"
        return None

    def _last_rotation(self, log):
        """When it was last rotated; else when it was made; 0 where nobody knows."""
        if log.copies:
            return max(copy.when for copy in log.copies)
        told = self.system.run(["stat", "-c", "%W", "--", os.path.join(log.root, log.name)]).stdout.strip()
        return float(told) if re.match(r"^\d+$", told) else 0.0

    def _require_somebody_to_tell(self, logs):
        """Where a writer has the log open, nobody to tell means: it would go on writing to the copy. Say so before."""
        if self._target() is not None or self.args.service or self.args.command:
            return
        named = self.args.pid_file or self.args.process or self.args.unit
        writers = open_files.writers({log.key for log in logs})
        if named and writers:
            pid = sorted(next(iter(writers.values())))[0]
            raise ModuleFailure("%s leads to no process, but %s (pid %d) writes to the log: nothing was rotated"
                                % (named, open_files.process_name(pid), pid))

    def _leave_alone_what_nobody_would_reopen(self, due):
        """A log somebody has open stays, where nothing says how to tell the writer: it would go on writing to the copy."""
        if any(self.args[name] for name in ("pid_file", "process", "unit", "service", "command")):
            return due
        writers = open_files.writers({log.key for log, _ in due})
        for log, reason in due:
            if log.key in writers:
                pid = sorted(writers[log.key])[0]
                who = "%s (pid %d)" % (open_files.process_name(pid), pid)
                self.still_open.append({"path": log.path, "by": who})
                self.system.warn("%s: %s, but %s has it open and nothing says how to tell it: not rotated; see unit, pid_file, command"
                                 % (log.path, reason, who))
        return [(log, reason) for log, reason in due if log.key not in writers]

    def _rotate_one(self, log, reason):
        name = rotated_logs.free_name(log.folder, log.name, self.args.suffix, self.now)
        self.rotated.append({"path": log.path, "to": log.at(name), "size": log.status.st_size, "reason": reason})
        suffix = name[len(log.name) + 1:]
        if self.system.check:
            self._predict_shift(log)
        elif self.args.copytruncate:
            self._copy_and_truncate(log, name)
        else:
            self._swap_out(log, name)
        log.copies.insert(0, rotated_logs.Rotated(name, suffix, False, log.status.st_size, log.status.st_mtime))

    def _predict_shift(self, log):
        if self.args.suffix != "number":
            return
        taken, gap = {copy.number for copy in log.copies}, 1
        while gap in taken:
            gap += 1
        for copy in log.copies:
            if copy.number is not None and copy.number < gap:
                copy.suffix = str(copy.number + 1)
                copy.name = "%s.%s%s" % (log.name, copy.suffix, ".gz" if copy.compressed else "")

    def _swap_out(self, log, name):
        if self.args.suffix == "number":
            rotated_logs.shift_numbers(log.folder, log.name)
            log.copies = rotated_logs.rotated_of(log.folder, log.name)
        rotated_logs.swap_out(log.folder, log.name, name, log.status)
        self.fresh[log.key] = (log, name)

    def _copy_and_truncate(self, log, name):
        writers = open_files.writers({log.key}).get(log.key, {})
        for pid, flags in writers.items():
            if not flags & os.O_APPEND:
                raise ModuleFailure("%s (pid %d) does not append to %s: a cut would leave a hole of NUL bytes at its head"
                                    % (open_files.process_name(pid), pid, log.path))
        if self.args.suffix == "number":
            rotated_logs.shift_numbers(log.folder, log.name)
            log.copies = rotated_logs.rotated_of(log.folder, log.name)
        _, window, rate = rotated_logs.copy_and_truncate(log.folder, log.name, name, log.status)
        log.copies = [copy for copy in log.copies if copy.name != name]
        risk = int(window * rate) + 1 if writers else 0
        self.at_risk += risk
        if risk:
            self.system.warn("%s: copytruncate: what was written in %.1f ms (about %d bytes) may be lost"
                             % (log.path, window * 1000, risk))

    # -- telling the writers

    def _target(self):
        """Process ids to signal, or None where the arguments name nobody that is there."""
        if self.args.pid_file:
            return _from_pid_file(self.args.pid_file)
        if self.args.process:
            pids = [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and open_files.process_name(int(pid)) == self.args.process[:15]]
            return pids or None
        if self.args.unit:
            shown = self.system.run(["systemctl", "show", "-p", "MainPID", self.args.unit]).stdout
            found = re.search(r"MainPID=(\d+)", shown)
            return [int(found.group(1))] if found and found.group(1) != "0" else None
        return None

    def tell(self):
        if not self.rotated or self.args.copytruncate:
            return
        if self.system.check:
            named = self.args.pid_file or self.args.process or self.args.unit or self.args.service or self.args.command
            self.told = [str(named)] if named else []
            return
        if self.args.service or self.args.command:
            self._run_command()
        else:
            self._signal(self._target() or ())
        self._wait_for_writers()

    def _run_command(self):
        reload = ["systemctl", "reload", self.args.service or ""]
        if self.args.service and not self.system.which("systemctl"):
            reload = ["service", self.args.service, "reload"]
        run = self.system.run(self.args.command or reload, timeout=60)
        self.told.append(self.args.service or str(self.args.command))
        if run.rc:
            self.problems.append("the logs were rotated, but %s failed: %s" % (self.told[-1], run.stderr.strip()[:300]))

    def _signal(self, pids):
        number = getattr(signal, "SIG" + self.args.signal.upper().replace("SIG", "", 1), None)
        if number is None:
            raise ModuleFailure("%s is no signal" % self.args.signal)
        for pid in pids:
            try:
                os.kill(pid, number)
                self.told.append("%s (pid %d)" % (open_files.process_name(pid), pid))
            except OSError as problem:
                self.problems.append("pid %d could not be told to reopen its log: %s" % (pid, problem.strerror))

    def _wait_for_writers(self):
        deadline, pause = time.monotonic() + self.args.reopen_timeout, 0.02
        while open_files.writers(set(self.fresh)) and time.monotonic() < deadline:
            time.sleep(pause)
            pause = min(pause * 2, 1.0)

    # -- compressing and forgetting

    def tidy(self):
        for log in self.logs:
            self._forget(log)
            if self.args.compress:
                self._compress(log)

    def _compress(self, log):
        wait = durations.seconds(self.args.compress_after, "compress_after")
        plain = [copy for copy in log.copies if not copy.compressed and self.now - copy.mtime >= wait]
        busy = self._busy(log, plain)
        for copy in plain:
            if copy.name in busy:
                self.still_open.append({"path": log.at(copy.name), "by": busy[copy.name]})
            elif self.system.check or self._compress_one(log, copy):
                self.compressed.append(log.at(copy.name) + ".gz")
        if busy:
            self.system.warn("%s: still written to by %s: not compressed yet" % (log.path, ", ".join(sorted(set(busy.values())))))

    def _busy(self, log, plain):
        keys = {}
        for copy in plain:
            status = rotated_logs.status_of(log.folder, copy.name)
            if status is not None:
                keys[(status.st_dev, status.st_ino)] = copy.name
        writers = open_files.writers(set(keys)) if keys else {}
        return {keys[key]: ", ".join("%s (pid %d)" % (open_files.process_name(pid), pid) for pid in pids)
                for key, pids in writers.items()}

    def _compress_one(self, log, copy):
        try:
            saved = rotated_logs.compress(log.folder, copy.name, self.args.compress_level)
        except OSError as problem:
            said = "no space left to compress %s: it stays as it is" if problem.errno == errno.ENOSPC else "%s: " + str(problem.strerror)
            self.problems.append(said % log.at(copy.name))
            return False
        if saved is None:
            self.still_open.append({"path": log.at(copy.name), "by": "somebody"})
            return False
        self.freed += saved
        return True

    def _forget(self, log):
        age = durations.seconds(self.args.retention, "retention")
        for position, copy in enumerate(list(log.copies)):
            surplus = self.args.keep is not None and position >= self.args.keep
            if not surplus and (age is None or self.now - copy.mtime < age):
                continue
            if not self.system.check:
                os.unlink(copy.name, dir_fd=log.folder)
            log.copies.remove(copy)
            self.deleted.append(log.at(copy.name))
            self.freed += copy.size


def _from_pid_file(path):
    """The process a pid file names. A file of a plain user may only name that user's processes."""
    try:
        with open(path) as stream:
            pid = int(stream.read(64).split()[0])
            owner = os.fstat(stream.fileno()).st_uid
        process = os.stat("/proc/%d" % pid)
    except (OSError, ValueError, IndexError):
        return None
    if pid < 2 or owner not in (0, os.geteuid(), process.st_uid):
        raise ModuleFailure("%s names process %d, which is not its owner's: no signal is sent" % (path, pid))
    return [pid]
