"""The table of filters: which file holds which. A file is imported when one of its filters is first used."""

from __future__ import annotations

from typing import Final

BUILTIN: Final = "ansible.builtin"

# file -> (collection, names); a test compares this table with the folder
FILES: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "encoding": (BUILTIN, ("b64decode", "b64encode", "quote", "to_uuid", "urldecode", "urlsplit")),
    "serializing": (
        BUILTIN,
        ("from_json", "from_yaml", "from_yaml_all", "to_json", "to_nice_json", "to_nice_yaml", "to_yaml"),
    ),
    "hashing": (BUILTIN, ("checksum", "hash", "md5", "password_hash", "sha1")),
    "vaulting": (BUILTIN, ("unvault", "vault")),
    "paths": (
        BUILTIN,
        (
            "basename", "commonpath", "dirname", "expanduser", "expandvars", "fileglob", "normpath", "path_join",
            "realpath", "relpath", "splitext", "win_basename", "win_dirname", "win_splitdrive",
        ),
    ),
    "regexes": (BUILTIN, ("regex_escape", "regex_findall", "regex_replace", "regex_search")),
    "sets": (BUILTIN, ("difference", "intersect", "symmetric_difference", "union", "unique")),
    "mappings": (
        BUILTIN,
        ("combine", "dict2items", "extract", "items2dict", "rekey_on_member", "subelements"),
    ),
    "lists": (
        BUILTIN,
        (
            "combinations", "flatten", "groupby", "permutations", "product", "random", "shuffle", "split", "zip",
            "zip_longest",
        ),
    ),
    "numbers": (BUILTIN, ("human_readable", "human_to_bytes", "log", "max", "min", "pow", "root")),
    "choices": (BUILTIN, ("bool", "comment", "mandatory", "ternary", "type_debug")),
    "times": (BUILTIN, ("strftime", "to_datetime")),
    "bounded": (
        BUILTIN,
        ("batch", "center", "format", "indent", "join", "replace", "slice", "sum", "tojson", "truncate", "wordwrap"),
    ),
    "general_lists": (
        "community.general",
        (
            "counter", "dict", "dict_kv", "groupby_as_dict", "keep_keys", "lists_difference", "lists_intersect",
            "lists_mergeby", "lists_symmetric_difference", "lists_union", "remove_keys", "replace_keys", "version_sort",
        ),
    ),
    "general_texts": (
        "community.general",
        ("from_csv", "from_ini", "json_query", "random_mac", "to_ini", "unicode_normalize"),
    ),
    "general_times": (
        "community.general",
        (
            "to_days", "to_hours", "to_milliseconds", "to_minutes", "to_months", "to_seconds", "to_time_unit",
            "to_weeks", "to_years",
        ),
    ),
    "utils": (
        "ansible.utils",
        ("get_path", "index_of", "keep_keys", "remove_keys", "replace_keys", "to_paths"),
    ),
    "addresses": (
        "ansible.utils",
        (
            "cidr_merge", "hwaddr", "ipaddr", "ipmath", "ipsubnet", "ipv4", "ipv6", "ipwrap", "macaddr",
            "network_in_network", "network_in_usable", "next_nth_usable", "nthhost", "previous_nth_usable", "reduce_on_network", "slaac",
        ),
    ),
}  # fmt: skip

# filters that look into containers without needing all of their items, or that take undefined values
LAZY: Final = frozenset(
    {
        "batch", "extract", "groupby", "mandatory", "max", "min", "slice", "sum", "ternary", "type_debug", "unique", "unvault",
        "zip", "zip_longest",
    }
)  # fmt: skip

# other collections under whose name a filter is known
ALSO: Final = {"ansible.netcommon": frozenset({"addresses", "utils"}), "ansible.legacy": frozenset({BUILTIN})}
