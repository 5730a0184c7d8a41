"""Sources of facts: small files that may be missing, unreadable or odd, and calls that may never come back."""

import threading


def text(system, path):
    """The file's text without surrounding blanks, or None."""
    try:
        return system.read_text(path).strip()
    except (OSError, ValueError):
        return None


def lines(system, path):
    found = text(system, path)
    return found.splitlines() if found else []


def entries(system, path):
    """The names in a folder, sorted; none where it is not there."""
    try:
        return sorted(system.listdir(path))
    except OSError:
        return []


def link(system, path):
    try:
        return system.readlink(path)
    except OSError:
        return None


def assignments(system, path):
    """KEY=value lines, quotes removed (os-release, lsb-release)."""
    values = {}
    for line in lines(system, path):
        key, equals, value = line.strip().partition("=")
        if equals and not key.startswith("#"):
            values[key.strip()] = value.strip().strip("\"'")
    return values


def numbers(system, path):
    """`Name:  123 kB` lines as {name: 123} (meminfo)."""
    values = {}
    for line in lines(system, path):
        name, _, rest = line.partition(":")
        words = rest.split()
        if words and words[0].isdigit():
            values[name] = int(words[0])
    return values


class Late(object):
    """A call under way in its own thread, because the kernel or a resolver may hold it for ever."""

    def __init__(self, call, *arguments):
        self._call = call
        self._arguments = arguments
        self._result = None
        self.error = None
        self._thread = threading.Thread(target=self._work, name="opsplay-facts")
        self._thread.daemon = True
        self._thread.start()

    def _work(self):
        try:
            self._result = self._call(*self._arguments)
        except Exception as error:  # handed to whoever asks for the result
            self.error = error

    def result(self, seconds, otherwise=None):
        """What the call gave, or `otherwise` when it failed or is not back within `seconds`."""
        self._thread.join(seconds)
        if self._thread.is_alive() or self.error is not None:
            return otherwise
        return self._result

    @property
    def pending(self):
        return self._thread.is_alive()
