"""Watch: what the controller wants while a step runs: cancelled, gone, or the step's time is over."""

import select
import signal
import time

GLANCE = 0.5  # seconds between looks while Python code of a module runs
LINE_LIMIT = 4096
LINES_PER_SECOND = 200


class Interrupted(BaseException):
    """The step has to end. Not an Exception, so that no module swallows it. `reason`: cancelled, gone or deadline."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


class Watch:
    """Watches the control pipe for one step. In Python code a timer looks; in system.run its loop does."""

    def __init__(self, inbox, request, deadline=None, send_line=None, lines_after=0.0):
        self._inbox = inbox
        self._request = request
        self._ends = None if deadline is None else time.monotonic() + deadline
        self._send_line = send_line
        self._live_from = time.monotonic() + lines_after
        self._held = [] if lines_after else None  # lines of a step that is not known to be a long one yet
        self._depth = 0
        self._partial = {"stdout": b"", "stderr": b""}
        self._tokens = float(LINES_PER_SECOND)
        self._filled = time.monotonic()
        self._dropped = 0

    @property
    def fd(self):
        return self._inbox.fd

    @property
    def wants_lines(self):
        return self._send_line is not None

    def look(self):
        self._inbox.look()

    def verdict(self):
        if self._inbox.is_cancelled(self._request):
            return "cancelled"
        return "gone" if self._inbox.gone_for_good() else None

    def remaining(self):
        return None if self._ends is None else self._ends - time.monotonic()

    def stop(self, reason):
        raise Interrupted(reason)

    # -- while Python code runs

    def __enter__(self):
        signal.signal(signal.SIGALRM, self._glance)
        signal.setitimer(signal.ITIMER_REAL, self._interval(), GLANCE)
        return self

    def __exit__(self, *_):
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _interval(self):
        remaining = self.remaining()
        return GLANCE if remaining is None else max(0.001, min(GLANCE, remaining))

    def _glance(self, *_):
        if self._depth:  # system.run is looking itself, and ends its process before it raises
            return
        self._inbox.look()
        remaining = self.remaining()
        reason = "deadline" if remaining is not None and remaining <= 0 else self.verdict()
        if reason:
            signal.setitimer(signal.ITIMER_REAL, 0)
            raise Interrupted(reason)
        if remaining is not None:
            signal.setitimer(signal.ITIMER_REAL, self._interval(), GLANCE)

    def enter(self):
        self._depth += 1

    def leave(self):
        self._depth -= 1
        if not self._depth:
            self._flush()

    # -- live lines

    def line(self, stream, data):
        """Takes output as it comes and sends its lines, capped in length and rate."""
        lines = (self._partial[stream] + data).split(b"\n")
        self._partial[stream] = lines.pop()[:LINE_LIMIT]
        for line in lines:
            self._offer(stream, line)

    def tick(self):
        """Sends what was held, once the step has turned out to be a long one."""
        if self._held is not None and time.monotonic() >= self._live_from:
            held, self._held = self._held, None
            for stream, line in held:
                self._offer(stream, line)

    def _offer(self, stream, line):
        if self._held is not None:
            self._hold(stream, line)
            return
        if self._tokens < 1:
            now = time.monotonic()
            self._tokens = min(LINES_PER_SECOND, (now - self._filled) * LINES_PER_SECOND)
            self._filled = now
        if self._tokens < 1:
            self._dropped += 1
            return
        self._tokens -= 1
        if self._dropped:
            self._send_line("stderr", "[... %d lines not shown ...]" % self._dropped)
            self._dropped = 0
        self._send_line(stream, line[:LINE_LIMIT].decode("utf-8", "replace"))

    def _hold(self, stream, line):
        self._held.append((stream, line[:LINE_LIMIT]))
        if len(self._held) > LINES_PER_SECOND:
            del self._held[0]
            self._dropped += 1

    def _flush(self):
        for stream, rest in self._partial.items():
            self._partial[stream] = b""
            if rest and self._send_line:
                self._offer(stream, rest)
        if self._held is not None:  # it was short: its result tells all
            self._held, self._dropped = [], 0
        if self._dropped and self._send_line:
            self._send_line("stderr", "[... %d lines not shown ...]" % self._dropped)
            self._dropped = 0


class Inbox:
    """Frames from the controller: reads the control pipe, keeps what waits, remembers what was cancelled."""

    def __init__(self, fd, reader, read, grace):
        self.fd = fd
        self._reader = reader
        self._read = read
        self._grace = grace
        self._waiting = []
        self._cancelled = set()
        self._gone_at = None

    def next(self):
        """The next frame, or None when the controller is gone: nothing new is begun without it."""
        while not self._waiting and self._gone_at is None:
            self._take()
        return self._waiting.pop(0) if self._gone_at is None else None

    @property
    def has_news(self):
        """True when `next` would not wait."""
        return bool(self._waiting) or self._gone_at is not None

    def look(self):
        """Reads what has come, without waiting."""
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        while self._gone_at is None and poll.poll(0):
            self._take()

    def _take(self):
        data = self._read(self.fd)
        if not data:
            self._gone_at = time.monotonic()
            return
        for header, body in self._reader.feed(data):
            if header.get("kind") == "cancel":
                self._cancelled.add(header.get("id"))
            else:
                self._waiting.append((header, body))

    def is_cancelled(self, request):
        return request in self._cancelled

    def forget(self, request):
        self._cancelled.discard(request)

    def gone_for_good(self):
        """True once the controller has been away for longer than the grace: work that is nearly done may finish."""
        return self._gone_at is not None and time.monotonic() - self._gone_at >= self._grace
