"""A log writer: numbered lines at a steady rate, reopening on SIGHUP. Arguments: path, lines, lines a second, reopen."""

import os
import signal
import sys
import time

path, lines, rate, reopen = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4] == "reopen"
asked = []
if reopen:
    signal.signal(signal.SIGHUP, lambda *_: asked.append(1))
log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
print("ready", flush=True)
started = time.monotonic()
for number in range(lines):
    if asked:
        asked.clear()
        os.close(log)
        log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    os.write(log, b"line %09d of the application log, with some text behind it\n" % number)
    ahead = number / rate - (time.monotonic() - started)
    if ahead > 0.002:
        time.sleep(ahead)
