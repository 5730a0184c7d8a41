"""The first code of every command: it imports nothing but what ends it at once while the rest is being loaded."""

import atexit
import gc
import sys

from opsplay import signals


def main() -> None:
    signals.end_at_once(130)
    collect_seldom()
    from opsplay.cli.main import main as run

    run()


def collect_seldom() -> None:
    """What a command loads lives as long as the command. To look through it for garbage every 700 objects, and once more
    when Python ends, is a fifth of the CPU of a short run."""
    gc.set_threshold(150_000, 20, 100)
    atexit.register(gc.freeze)


def drop_in() -> None:
    """One of Ansible's programs, named by the first argument."""
    signals.end_at_once(99)
    collect_seldom()
    from opsplay.cli.ansible import main as run

    sys.exit(run())


if __name__ == "__main__":
    drop_in()
