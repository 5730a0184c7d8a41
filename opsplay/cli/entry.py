"""The first code of every command: it imports nothing but what ends it at once while the rest is being loaded."""

import sys

from opsplay import signals


def main() -> None:
    signals.end_at_once(130)
    from opsplay.cli.main import main as run

    run()


def drop_in() -> None:
    """One of Ansible's programs, named by the first argument."""
    signals.end_at_once(99)
    from opsplay.cli.ansible import main as run

    sys.exit(run())


if __name__ == "__main__":
    drop_in()
