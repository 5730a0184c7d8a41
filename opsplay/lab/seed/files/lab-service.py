#!/usr/bin/python3 -IS
"""A service that keeps its version and its library in memory until it is restarted, as real ones do."""

import mmap
import os
import signal
import sys

VERSION = "@VERSION@"


def main():
    if "--version" in sys.argv:
        print(VERSION)
        return
    library = open("/usr/lib/lab/libcrypto-ish.so.1", "rb")
    mapped = mmap.mmap(library.fileno(), 0, prot=mmap.PROT_READ)
    os.makedirs("/run/lab-service", exist_ok=True)
    with open("/run/lab-service/version", "w") as running:
        running.write(VERSION + "\n")
    with open("/run/lab-service/library", "w") as running:
        running.write(mapped[:].decode())
    signal.sigwait({signal.SIGTERM})


main()
