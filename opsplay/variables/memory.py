"""Memory: what a run has learned about a host: facts, registered results, set_fact and include_vars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsplay.variables.fact_cache import GATHERED

# A host may describe itself; it may not tell the controller how to reach it or whom to become there.
NEVER_FROM_A_HOST = ("ansible_become", "ansible_ssh_", "ansible_sudo", "ansible_su_", "ansible_connection")
NEVER_EXACTLY = frozenset(
    [
        "ansible_host",
        "ansible_port",
        "ansible_user",
        "ansible_password",
        "ansible_pass",
        "ansible_private_key_file",
        "ansible_shell_type",
        "ansible_shell_executable",
        "ansible_remote_tmp",
        "ansible_facts",
        "hostvars",
        "groups",
        "group_names",
        "inventory_hostname",
        "vars",
        "omit",
        "ansible_pipelining",
        "ansible_timeout",
        "ansible_async_dir",
        "ansible_common_remote_group",
        "ansible_delegated_vars",
        "ansible_play_hosts",
        "ansible_play_batch",
        "ansible_play_name",
        "ansible_check_mode",
        "ansible_diff_mode",
    ]
)


class Memory:
    """One host's. `pending` names results that are still under way: reading one stops a look-ahead."""

    __slots__ = ("blind", "changed", "facts", "gathered", "included", "pending", "set_facts", "top_facts")

    def __init__(self, cached: Mapping[str, Any] | None = None) -> None:
        self.facts: dict[str, Any] = {}  # without the ansible_ prefix: `ansible_facts`
        self.top_facts: dict[str, Any] = {}  # as modules returned them: injected as variables
        self.set_facts: dict[str, Any] = {}
        self.included: dict[str, object] = {}
        self.pending: set[str] = set()
        self.blind = ""  # the task of a check run that may set any name, and is unknown
        self.gathered = False  # by this run or, as the cache remembers, by an earlier one
        if cached:
            self.learn_facts(cached)
            if cached.get(GATHERED):
                self.mark_gathered()
        self.changed = False  # facts that the cache has not got yet

    def learn_facts(self, facts: Mapping[str, Any]) -> None:
        """Take a module's `ansible_facts`; names that steer the controller are dropped."""
        for name, value in facts.items():
            if not isinstance(name, str) or name == GATHERED or forbidden(name):
                continue
            self.top_facts[name] = value
            self.facts[name.removeprefix("ansible_")] = value
        self.changed = True

    def mark_gathered(self) -> None:
        """A whole gathering brought these facts; Ansible shows that among them."""
        self.gathered = self.facts[GATHERED] = True

    def clear_facts(self) -> None:
        self.facts.clear()
        self.top_facts.clear()
        self.gathered = self.changed = False


def forbidden(name: str) -> bool:
    if name in NEVER_EXACTLY or name.startswith(NEVER_FROM_A_HOST):
        return not name.startswith("ansible_ssh_host_key_")
    return name.startswith("ansible_") and name.endswith("_interpreter")
