"""The reject list: which modules a site does not want, as `plugin_filters_cfg` names them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from opsplay.errors import OpsError, Where

DEFAULT = "/etc/ansible/plugin_filters.yml"
VERSION = "1.0"
NEEDED = "stat"


def rejected_modules(path: str | None, warn: Callable[[str], None]) -> frozenset[str]:
    """The names in the file. Raises OpsError for one that is not what Ansible documents."""
    from opsplay.source.nodes import plain
    from opsplay.source.yaml_reader import read_yaml

    file = Path(path or DEFAULT)
    if not file.is_file():
        if path:
            warn(f"The plugin filter file, {file} does not exist. Skipping.")
        return frozenset()
    node = read_yaml(file)
    found = plain(node) if node is not None else {}
    if not isinstance(found, dict):
        raise _wrong("it is no mapping", file)
    version = str(found.get("filter_version", "")).strip()
    if version != VERSION:
        raise _wrong(f"filter_version is {version or 'not there'}, and {VERSION} is known", file)
    names = found.get("module_rejectlist") or []
    if not isinstance(names, list):
        raise _wrong("module_rejectlist is a list of names", file)
    if NEEDED in names:
        raise _wrong(f"The {NEEDED} module was specified in the module reject list file, {file}, but Ansible will not function "
                     f"without the {NEEDED} module.  Please remove {NEEDED} from the reject list.", file)  # fmt: skip
    return frozenset(str(name).removeprefix("ansible.builtin.") for name in names)


def _wrong(message: str, file: Path) -> OpsError:
    return OpsError("bad-reject-list", message, Where(str(file)), "Mend the file that plugin_filters_cfg names.")
