"""Which collection documents a verb: the first part of its full name."""

from __future__ import annotations

import re

POSIX = frozenset(["acl", "at", "authorized_key", "firewalld", "mount", "patch", "seboolean", "selinux", "synchronize", "sysctl"])
GENERAL = frozenset(
    ["alternatives", "apache2_module", "apk", "archive", "capabilities", "dpkg_divert", "flatpak", "gem", "git_config", "htpasswd", "ini_file", "ldap_entry", "locale_gen", "lvg", "lvol", "make", "mail", "modprobe", "nmcli", "npm", "open_iscsi", "pacman", "pam_limits", "pamd", "parted", "pipx", "read_csv", "redis_info", "snap", "sudoers", "supervisorctl", "timezone", "ufw", "xml", "zypper", "zypper_repository"]
)
OURS = frozenset(
    ["apt_upgradable", "backup_verify", "find_delete", "log_rotate", "needs_restart", "postgresql_activity", "postgresql_assert", "postgresql_index_stats", "postgresql_reindex", "postgresql_slow_queries", "postgresql_table_stats", "postgresql_vacuum", "sqlite_maintain", "sqlite_query"]
)
CRYPTO = re.compile(r"(openssl|openssh|x509)_\w+$")
MYSQL = re.compile(r"mysql_\w+$")
POSTGRESQL = re.compile(r"postgresql_\w+$")


def collection_of(name: str) -> str:
    """The collection whose documentation the verb follows; opsplay.builtin for what only we have."""
    if name in OURS:
        return "opsplay.builtin"
    if name in POSIX:
        return "ansible.posix"
    if name in GENERAL:
        return "community.general"
    families = ((CRYPTO, "community.crypto"), (MYSQL, "community.mysql"), (POSTGRESQL, "community.postgresql"))
    return next((collection for pattern, collection in families if pattern.match(name)), "ansible.builtin")


def full_name(name: str) -> str:
    return name if "." in name else f"{collection_of(name)}.{name}"
