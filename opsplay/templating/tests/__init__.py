"""The table of tests (`x is NAME`): which file holds which."""

from __future__ import annotations

from typing import Final

BUILTIN: Final = "ansible.builtin"

# file -> (collection, names); a test compares this table with the folder
FILES: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "results": (
        BUILTIN,
        (
            "change", "changed", "failed", "failure", "finished", "reachable", "skip", "skipped", "started",
            "succeeded", "success", "successful", "timedout", "unreachable",
        ),
    ),
    "files": (
        BUILTIN,
        (
            "abs", "directory", "exists", "file", "is_abs", "is_dir", "is_file", "is_link", "is_mount", "is_same_file",
            "link", "link_exists", "mount", "same_file", "vault_encrypted", "vaulted_file",
        ),
    ),
    "values": (
        BUILTIN,
        (
            "all", "any", "contains", "falsy", "isnan", "issubset", "issuperset", "nan", "subset", "superset", "truthy",
        ),
    ),
    "texts": (BUILTIN, ("match", "regex", "search", "uri", "url", "urn")),
    "versions": (BUILTIN, ("version", "version_compare")),
    "collections": ("community.general", ("a_module", "ansible_type", "fqdn_valid")),
    "addresses": (
        "ansible.utils",
        (
            "in_any_network", "in_network", "in_one_network", "ip", "ip_address", "ipv4", "ipv4_address", "ipv6",
            "ipv6_address", "loopback", "mac", "multicast", "private", "public", "reserved", "resolvable",
            "subnet_of", "supernet_of", "unspecified",
        ),
    ),
}  # fmt: skip

ALSO: Final = {"ansible.netcommon": frozenset({"addresses"}), "ansible.legacy": frozenset({BUILTIN})}
