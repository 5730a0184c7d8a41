"""Workers: requests that run beside others, each in a process forked from the interpreter and used again while it is needed."""

import os
import select

from opsplay.remote import frames
from opsplay.remote.watch import Inbox

CHUNK = 1024 * 1024
REPLY = b'{"kind":"reply"'  # how the header of an answer begins


class Worker:
    """`pipe` gives its frames. `leash` brings it frames, and by its end the news that nobody is there any more."""

    __slots__ = ("buffer", "leash", "left", "pid", "pipe", "request", "told")

    def __init__(self, pid, pipe, leash):
        self.pid = pid
        self.pipe = pipe
        self.leash = leash
        self.buffer = bytearray()
        self.request = None  # what it is at
        self.left = 0  # answers that are still to come
        self.told = False  # that the request is cancelled


class Workers:
    """`serve(inbox, output)` is a worker's life; `write` sends whole frames to the controller; `fail` answers for a dead one."""

    def __init__(self, inbox, serve, write, fail):
        self._inbox = inbox
        self._serve = serve
        self._write = write
        self._fail = fail
        self._workers = {}

    def give(self, header, body):
        """Hands a request to a worker that has nothing to do, or to a new one."""
        worker = next((worker for worker in self._workers.values() if worker.request is None), None)
        try:
            worker = worker or self._hire()
            worker.request, worker.left, worker.told = header["id"], len(header["steps"]), False
            write_all(worker.leash, frames.encode(header, body))
        except OSError as error:
            if worker is not None:
                worker.request = None
            self._fail(header["id"], "cannot run the step in a process of its own: %s" % error)

    def teach(self, header, body):
        """Code that came after they were forked."""
        for worker in self._workers.values():
            write_all(worker.leash, frames.encode(header, body))

    def _hire(self):
        pipe, output = os.pipe()
        held, leash = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._work(held, output, (pipe, leash))
        os.close(output)
        os.close(held)
        worker = self._workers[pipe] = Worker(pid, pipe, leash)
        return worker

    def _work(self, held, output, parents_ends):
        """Never returns. The leashes of the others must not stay open here: their end says that the parent is gone."""
        try:
            for fd in parents_ends:
                os.close(fd)
            for other in self._workers.values():
                os.close(other.pipe)
                os.close(other.leash)
            os.close(self._inbox.fd)
            self._serve(Inbox(held, frames.FrameReader(), _read, 0.0), output)
        finally:
            os._exit(0)

    @property
    def busy(self):
        return any(worker.request is not None for worker in self._workers.values())

    def tend(self):
        """Passes on what comes and goes until the controller has asked for something, is gone, or all is done."""
        while self.busy:
            news = self._inbox.has_news
            poll = select.poll()
            for fd in self._workers if news else (self._inbox.fd,) + tuple(self._workers):
                poll.register(fd, select.POLLIN)
            for fd, _ in poll.poll(0 if news else None):
                if fd == self._inbox.fd:
                    self._inbox.look()
                else:
                    self._hear(self._workers[fd])
            self._pass_on_cancels()
            if self._inbox.has_news:
                return

    def _pass_on_cancels(self):
        for worker in self._workers.values():
            if worker.request is not None and not worker.told and self._inbox.is_cancelled(worker.request):
                worker.told = True
                try:
                    write_all(worker.leash, frames.encode({"kind": "cancel", "id": worker.request}))
                except OSError:  # it has just died, which its pipe tells
                    pass

    def _hear(self, worker):
        data = os.read(worker.pipe, CHUNK)
        worker.buffer += data
        for frame in whole_frames(worker.buffer):
            worker.left -= frame.startswith(REPLY, frames.LENGTHS.size)
            self._write(frame)
        if not data:
            self._bury(worker)
        elif worker.request is not None and not worker.left:
            self._inbox.forget(worker.request)
            worker.request = None

    def _bury(self, worker):
        request, worker.request = worker.request, None
        status = self._let_go(worker)
        if request is not None:
            self._fail(request, "the process of the step ended before its answer (wait status %d)" % status)
            self._inbox.forget(request)

    def _let_go(self, worker):
        del self._workers[worker.pipe]
        os.close(worker.pipe)
        os.close(worker.leash)
        return os.waitpid(worker.pid, 0)[1]

    def dismiss(self):
        """Ends those that have nothing to do: the loop that needed them is over."""
        for worker in [worker for worker in self._workers.values() if worker.request is None]:
            self._let_go(worker)


def whole_frames(data):
    """Takes the complete frames from the front of a bytearray, each as its bytes."""
    taken = []
    while len(data) >= frames.LENGTHS.size:
        end = frames.LENGTHS.size + sum(frames.LENGTHS.unpack_from(data))
        if len(data) < end:
            break
        taken.append(bytes(data[:end]))
        del data[:end]
    return taken


def write_all(fd, data):
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view):]


def _read(fd):
    try:
        return os.read(fd, CHUNK)
    except OSError:
        return b""
