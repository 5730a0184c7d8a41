"""Runs one process for a module: capped output, its own session, ended with all it started when that is asked for."""

import errno
import os
import select
import signal
import subprocess
import time

from opsplay.remote.process_tree import living, members, signal_all
from opsplay.remote.spec import ModuleFailure

OUTPUT_LIMIT = 16 * 1024 * 1024
KILL_GRACE = 2.0
STRAGGLER_WAIT = 0.25  # a daemon may keep the pipes of a finished command open; what it printed by then is ours
CHUNK = 65536


class Run:
    """What a process gave. `timed_out` is True when `timeout` ended it."""

    __slots__ = ("rc", "stderr", "stderr_truncated", "stdout", "stdout_truncated", "timed_out")

    def __init__(self, rc, stdout="", stderr="", stdout_truncated=0, stderr_truncated=0, timed_out=False):
        self.rc = rc
        self.stdout = stdout
        self.stderr = stderr
        self.stdout_truncated = stdout_truncated
        self.stderr_truncated = stderr_truncated
        self.timed_out = timed_out

    def __repr__(self):
        return "Run(rc=%r, stdout=%r, stderr=%r)" % (self.rc, self.stdout[:200], self.stderr[:200])


class Capture:
    """Keeps the first three quarters and the last quarter of `limit` bytes, and counts what falls between."""

    def __init__(self, limit):
        self._head_room = limit - limit // 4
        self._tail_room = limit // 4
        self._head = []
        self._tail = bytearray()
        self.truncated = 0

    def add(self, data):
        if self._head_room:
            self._head.append(data[:self._head_room])
            taken = len(self._head[-1])
            self._head_room -= taken
            data = data[taken:]
        if data:
            self._add_tail(data)

    def _add_tail(self, data):
        self._tail += data
        spare = len(self._tail) - self._tail_room
        if spare > self._tail_room or self._tail_room == 0:  # trimmed in large steps, not on every chunk
            self._trim(spare)

    def _trim(self, spare):
        if spare > 0:
            del self._tail[:spare]
            self.truncated += spare

    def text(self):
        self._trim(len(self._tail) - self._tail_room)
        parts = list(self._head)
        if self.truncated:
            parts.append(b"\n[... %d bytes left out ...]\n" % self.truncated)
        parts.append(bytes(self._tail))
        return b"".join(parts).decode("utf-8", "replace")


class Unwatched:
    """The watch of a process that nobody can cancel: what tests and detached jobs use."""

    fd = None
    wants_lines = False

    def look(self):
        pass

    def verdict(self):
        return None

    def remaining(self):
        return None

    def line(self, stream, data):
        pass

    def enter(self):
        pass

    def leave(self):
        pass

    def stop(self, reason):
        raise RuntimeError(reason)


def run_process(argv, watch, input=None, cwd=None, environment=None, timeout=None, umask=None, limit=OUTPUT_LIMIT):
    """Runs `argv` and returns its Run. Where the watch says so the process is ended and `watch.stop` raises."""
    watch.enter()
    try:
        process = _start(argv, input, cwd, environment, umask)
        supervision = _Supervision(process, watch, input, timeout, limit)
        try:
            supervision.follow()
        finally:
            supervision.release()
    finally:
        watch.leave()
    if supervision.reason and supervision.reason != "timeout":
        watch.stop(supervision.reason)
    return supervision.outcome()


def _start(argv, input, cwd, environment, umask):
    old_umask = os.umask(umask) if umask is not None else None
    try:
        return subprocess.Popen(
            argv, stdin=subprocess.DEVNULL if input is None else subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, cwd=cwd, env=environment, start_new_session=True, close_fds=True)
    except OSError as error:
        raise ModuleFailure("cannot run %s: %s" % (argv[0], error.strerror or error), rc=error.errno or 2, cmd=argv)
    except ValueError as error:  # a NUL byte in an argument
        raise ModuleFailure("cannot run %s: %s" % (ascii(argv[0]), error), rc=2, cmd=argv)
    finally:
        if old_umask is not None:
            os.umask(old_umask)


def _end_descriptor(pid):
    """What becomes readable when the process has ended, or None on an old kernel or Python."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


class _Supervision:
    """One process being followed: its pipes, the controller's wishes, its deadline."""

    def __init__(self, process, watch, input, timeout, limit):
        self.process = process
        self.watch = watch
        self.reason = None
        self._input = memoryview(input) if input else None
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._kill_at = None
        self._killed = False
        self._victims = frozenset()
        self._ended_at = None
        self._captures = {process.stdout.fileno(): Capture(limit), process.stderr.fileno(): Capture(limit)}
        self._order = tuple(self._captures)
        self._streams = {self._order[0]: "stdout", self._order[1]: "stderr"}
        self._poll = select.poll()
        self._open = set(self._order)
        self._nap = 1
        self._end = _end_descriptor(process.pid)
        self._register(process)

    def _register(self, process):
        for fd in self._order:
            self._poll.register(fd, select.POLLIN)
        if self._end is not None:
            self._poll.register(self._end, select.POLLIN)
        if self.watch.fd is not None:
            self._poll.register(self.watch.fd, select.POLLIN)
        if process.stdin is not None:
            if not self._input:
                process.stdin.close()
                return
            os.set_blocking(process.stdin.fileno(), False)
            self._poll.register(process.stdin.fileno(), select.POLLOUT)

    def follow(self):
        while self._open or self.process.poll() is None:
            self._handle(self._poll.poll(self._patience()))
            self._judge()
            if self._over():
                break
        self.process.wait()

    def _patience(self):
        """Milliseconds to sleep: short only where something besides the pipes has to be noticed."""
        if self._ended_at is not None:
            return 20
        if not self._open and self._end is None:  # a process closes its pipes a moment before it has ended
            self._nap = min(20, self._nap * 2)
            return self._nap // 2
        return 200 if self._kill_at is None and self._deadline is None and self.watch.remaining() is None else 50

    def _handle(self, events):
        for fd, _ in events:
            if fd in self._open:
                self._read(fd)
            elif fd == self._end:
                self._poll.unregister(fd)
            elif fd == self.watch.fd:
                self.watch.look()
                if self.watch.verdict():  # the end of input stays readable: polling it further would spin
                    self._poll.unregister(fd)
            else:
                self._write(fd)

    def _read(self, fd):
        data = os.read(fd, CHUNK)
        if not data:
            self._poll.unregister(fd)
            self._open.discard(fd)
            return
        self._captures[fd].add(data)
        if self.watch.wants_lines:
            self.watch.tick()
            self.watch.line(self._streams[fd], data)

    def _write(self, fd):
        try:
            self._input = self._input[os.write(fd, self._input[:CHUNK]):]
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EINTR):
                return
            self._input = None  # it does not want to read it
        if not self._input:
            self._poll.unregister(fd)
            self.process.stdin.close()

    def _judge(self):
        now = time.monotonic()
        if self.watch.wants_lines:
            self.watch.tick()
        if self.reason is None:
            self.reason = self._reason(now)
            if self.reason is not None:
                self._signal(signal.SIGTERM)
                self._kill_at = now + KILL_GRACE
        elif now >= self._kill_at and not self._killed:
            self._signal(signal.SIGKILL)
            self._killed = True

    def _signal(self, number):
        """To all that the process started, also what it lost sight of since the signal before."""
        self._victims = living(self._victims | members(self.process.pid))
        signal_all(self.process.pid, self._victims, number)

    def _reason(self, now):
        remaining = self.watch.remaining()
        if remaining is not None and remaining <= 0:
            return "deadline"
        if self._deadline is not None and now >= self._deadline:
            return "timeout"
        return self.watch.verdict()

    def _over(self):
        if self.process.poll() is None:
            return False
        if self._ended_at is None:
            self._ended_at = time.monotonic()
        if self.reason is not None and not self._killed and living(self._victims):
            return False  # the leader obeyed, a child of it has not yet
        return time.monotonic() - self._ended_at >= STRAGGLER_WAIT

    def release(self):
        """Closes the pipes; a process that is still there (an error on our side) is ended."""
        if self.process.poll() is None:
            signal_all(self.process.pid, members(self.process.pid), signal.SIGKILL)
            self.process.wait()
        if self._end is not None:
            os.close(self._end)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    pass

    def outcome(self):
        out, err = (self._captures[fd] for fd in self._order)
        stdout, stderr = out.text(), err.text()
        return Run(self.process.returncode, stdout, stderr, out.truncated, err.truncated, self.reason == "timeout")
