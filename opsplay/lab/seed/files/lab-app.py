#!/usr/bin/python3
"""Writes numbered lines to /var/log/app/app.log and app.jsonl; SIGHUP reopens both, as a real daemon does."""

import json
import os
import signal
import sys
import time

FOLDER = "/var/log/app"
reopen = True


def ask_reopen(signum, frame):
    global reopen
    reopen = True


def rate():
    for line in open("/etc/lab-app.conf"):
        key, _, value = line.partition("=")
        if key.strip() == "lines_per_second":
            return max(0.01, float(value))
    return 5.0


def lines(number):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    yield "%s INFO app[%d] seq=%d handled request in %d ms\n" % (stamp, os.getpid(), number, number % 113)
    yield json.dumps({"time": stamp, "level": "INFO", "seq": number, "ms": number % 113}) + "\n"


def main():
    global reopen
    signal.signal(signal.SIGHUP, ask_reopen)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    number, logs, started, pause = 0, [], time.monotonic(), 1 / rate()
    while True:
        if reopen:
            reopen = False
            logs = [open(os.path.join(FOLDER, name), "a", buffering=1) for name in ("app.log", "app.jsonl")]
        number += 1
        for log, line in zip(logs, lines(number)):
            log.write(line)
        time.sleep(max(0, started + number * pause - time.monotonic()))


main()
