"""Owns what a plain lab host has beyond the common things: a configuration archive among its backups."""

from backups import tar_backups

tar_backups()
