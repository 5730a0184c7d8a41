"""opsplay: Ansible's language, run fast, in windows, with a journal of what was done."""

__version__ = "0.1.0"
