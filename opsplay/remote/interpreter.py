"""The kept interpreter: serves frames of steps from stdin until it closes; started by the stub of transport/bootstrap.py."""

import os
import signal
import sys
import time

from opsplay.remote import frames
from opsplay.remote.perform import perform
from opsplay.remote.system import System
from opsplay.remote.watch import Inbox, Interrupted, Watch

READ_SIZE = 1024 * 1024
MODULES = "opsplay.remote.modules."


def main(code, options):
    """Serves until the controller goes away. `code` is the dict that the importer reads sources from."""
    control, output = _take_descriptors()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    reader = frames.FrameReader()
    inbox = Inbox(control, reader, _read, options.get("grace", 2.0))
    server = Interpreter(code, inbox, output, options)
    try:
        server.serve()
    except (BrokenPipeError, ConnectionResetError, Interrupted):
        pass  # the controller is gone: there is nobody to tell


def _read(fd):
    try:
        return os.read(fd, READ_SIZE)
    except OSError:  # EIO: the terminal is gone
        return b""


def _end(number, frame):
    raise Interrupted("gone")


def _take_descriptors():
    """Moves the protocol away from 0 and 1, so that what a module prints or reads cannot break the frames."""
    control, output = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    if os.isatty(2):
        os.dup2(null, 2)  # the terminal carries the frames
    os.dup2(2, 1)
    os.close(null)
    return control, output


class Interpreter:
    """Takes requests one after the other and answers each step."""

    def __init__(self, code, inbox, output, options):
        self._code = code
        self._inbox = inbox
        self._output = output
        self._options = options
        self._facts = {}
        self._workers = None  # for requests that run beside others

    def serve(self):
        self._send({"kind": "hello", "version": 1, "pid": os.getpid(), "uid": os.getuid(), "executable": sys.executable,
                    "python": list(sys.version_info[:3])})
        self._serve_all()

    def _serve_all(self):
        while True:
            if self._workers is not None:
                self._workers.tend()
            frame = self._inbox.next()
            if frame is None:
                return
            self._serve_one(*frame)

    def _serve_one(self, header, body):
        kind = header.get("kind")
        if kind == "code":
            self._code.update(header["files"] if "files" in header else _unpacked(body))
            if self._workers is not None:
                self._workers.teach(header, body)
        elif kind == "run" and header.pop("beside", False):
            self._run_beside(header, body)
        elif kind == "run":
            if self._workers is not None:
                self._workers.dismiss()
            self._run(header, body)
        elif kind == "bye":
            raise SystemExit(0)
        else:
            self._send({"kind": "refused", "why": "unknown frame %r" % (kind,)})

    def _send(self, header, body=b""):
        self._write(frames.encode(header, body))

    def _write(self, data):
        view = memoryview(data)
        while view:
            view = view[os.write(self._output, view):]

    def _run_beside(self, header, body):
        """The same in another process, while this one takes what comes next."""
        if self._workers is None:
            beside = __import__("opsplay.remote.beside", fromlist=["Workers"])  # sent when it is first needed
            self._workers = beside.Workers(self._inbox, self._as_worker, self._write, self._fail)
        for step in header["steps"]:
            try:
                __import__(MODULES + step["module"])  # once, and not in every worker
            except BaseException:  # told by the worker
                pass
        self._workers.give(header, body)

    def _as_worker(self, inbox, output):
        os.close(self._output)
        worker = Interpreter(self._code, inbox, output, self._options)
        worker._facts = self._facts
        worker._serve_all()

    def _fail(self, request, why):
        self._send({"kind": "reply", "id": request, "step": 0, "ran": True, "took": 0.0,
                    "result": {"failed": True, "changed": False, "msg": why}})

    def _run(self, header, body):
        """Runs the steps of one request in order; those behind a failed one, its own group's apart, are answered as not run."""
        request, stopped, failed_group, at = header["id"], False, None, 0
        for index, step in enumerate(header["steps"]):
            length = step.get("body")
            part = None if length is None else body[at:at + length]
            at += length or 0
            stopped = stopped or (failed_group is not None and step.get("group") != failed_group)
            if stopped:
                self._send({"kind": "reply", "id": request, "step": index, "ran": False, "result": {}})
                continue
            begun = time.monotonic()
            result, answer = self._answer(request, index, step, part)
            self._reply(request, index, result, answer, round(time.monotonic() - begun, 5))
            failed = result.get("failed") and header.get("stop", True) and not step.get("may_fail")
            stopped = bool(result.get("cancelled")) or (failed and step.get("group") is None)
            if failed and not stopped:
                failed_group = step["group"]
        self._inbox.forget(request)

    def _reply(self, request, index, result, body, took):
        header = {"kind": "reply", "id": request, "step": index, "ran": True, "result": result, "took": took}
        split = [name for name in ("stdout", "stderr") if _is_split(result, name)]
        if split:  # the controller splits it again: sent once, and a million lines are no million objects on the way
            header["result"] = {key: value for key, value in result.items() if key[:-6] not in split}
            header["split"] = split
        if body is not None:
            header["body"] = True
        try:
            start = frames.start(header, len(body or b""))
        except (TypeError, ValueError, frames.FrameError) as error:
            header["result"] = {"failed": True, "msg": "the module's result cannot be sent: %s" % error}
            start = frames.start(dict(header, body=False), 0)
            body = None
        self._write(start)
        if body:
            self._write(body)

    def _answer(self, request, index, step, body):
        if self._inbox.is_cancelled(request):
            return {"failed": True, "cancelled": True, "msg": "cancelled before it began"}, None
        if step.get("background"):
            from opsplay.remote import background
            return background.start(step, body, self._perform), None
        watch = Watch(self._inbox, request, step.get("deadline"), self._line_sender(request, index, step), step.get("lines_after", 0.0))
        return self._guarded(step, body, watch)

    def _line_sender(self, request, index, step):
        if not step.get("lines"):
            return None
        return lambda stream, text: self._send(
            {"kind": "line", "id": request, "step": index, "stream": stream, "text": text})

    def _guarded(self, step, body, watch):
        """The step's result and body, whatever the module does, short of the controller's end."""
        try:
            with watch:
                return self._perform(step, body, watch)
        except Interrupted as interruption:
            if interruption.reason == "gone":
                raise SystemExit(0)
            return interrupted_result(interruption.reason, step.get("deadline")), None
        except BaseException as error:  # SystemExit and KeyboardInterrupt of a module included
            return crash_result(step, error), None

    def _perform(self, step, body, watch):
        """Imports the module and performs it, with the step's environment."""
        name = step["module"]
        __import__(MODULES + name)
        module = sys.modules[MODULES + name]
        environment = {key: str(value) for key, value in (step.get("environment") or {}).items()}
        system = System(
            check=step.get("check", False), diff=step.get("diff", False), environment=environment, body=body,
            secret=step.get("secret", False), watch=watch, output_limit=step.get("output_limit"), facts=self._facts)
        saved = dict(os.environ) if environment else None
        folder = os.getcwd() if os.path.isdir(".") else None
        os.environ.update(environment)
        try:
            result = perform(module, system, step["args"])
        finally:
            if saved is not None:
                os.environ.clear()
                os.environ.update(saved)
            if folder is not None and (not os.path.isdir(".") or os.getcwd() != folder):
                os.chdir(folder)
        return result, result.pop("_body", None)


def _unpacked(body):
    import json
    import zlib
    return json.loads(zlib.decompress(body).decode("utf-8"))


def _is_split(result, name):
    lines = result.get(name + "_lines")
    return bool(lines) and isinstance(result.get(name), str) and lines == result[name].splitlines()


def interrupted_result(reason, period):
    if reason == "deadline":
        return {"failed": True, "changed": False, "timedout": {"period": period},
                "msg": "Timed out after %s second(s)." % period}
    return {"failed": True, "changed": False, "cancelled": True, "msg": "cancelled while it ran"}


def crash_result(step, error):
    """A module that raises what it should not: its kind and message, and the last lines of the traceback."""
    text = str(error) if type(error) is Exception and str(error) else "%s: %s" % (type(error).__name__, error)
    result = {"failed": True, "changed": False, "msg": ("Task failed: Module failed: %s" % text)[:2000]}
    if not step.get("secret"):
        import traceback
        lines = traceback.format_exception(type(error), error, error.__traceback__)
        result["exception"] = "".join(lines[-6:])[-4000:]
    if isinstance(error, ImportError):
        result["msg"] = "the module %s cannot be loaded: %s" % (step["module"], error)
    return result
