"""Keywords: every word a play, block, task, role or handler may use, and how a child takes it from its parents."""

from __future__ import annotations

from collections.abc import Mapping

INHERITED = frozenset(
    [
        "any_errors_fatal",
        "become",
        "become_exe",
        "become_flags",
        "become_method",
        "become_user",
        "check_mode",
        "collections",
        "connection",
        "debugger",
        "diff",
        "environment",
        "ignore_errors",
        "ignore_unreachable",
        "module_defaults",
        "no_log",
        "port",
        "remote_user",
        "run_once",
        "tags",
        "throttle",
        "timeout",
        "vars",
        "name",
    ]
)
CONDITIONAL = frozenset({"when"})
DELEGATED = frozenset({"delegate_to", "delegate_facts"})
TASK_ONLY = frozenset(
    [
        "action",
        "local_action",
        "args",
        "async",
        "poll",
        "changed_when",
        "failed_when",
        "delay",
        "retries",
        "until",
        "loop",
        "loop_control",
        "register",
        "notify",
        "listen",
    ]
)
PLAY = INHERITED | frozenset(
    [
        "hosts",
        "gather_facts",
        "gather_subset",
        "gather_timeout",
        "fact_path",
        "vars_files",
        "vars_prompt",
        "roles",
        "tasks",
        "pre_tasks",
        "post_tasks",
        "handlers",
        "serial",
        "strategy",
        "max_fail_percentage",
        "force_handlers",
        "order",
        "user",
        "validate_argspec",
    ]
)
BLOCK = INHERITED | CONDITIONAL | DELEGATED | frozenset({"block", "rescue", "always", "notify"})
TASK = INHERITED | CONDITIONAL | DELEGATED | TASK_ONLY
HANDLER = TASK
ROLE = INHERITED | CONDITIONAL | DELEGATED | frozenset({"role", "delegate_facts"})
IMPORT_PLAYBOOK = frozenset({"import_playbook", "ansible.builtin.import_playbook", "name", "tags", "vars", "when"})

ACCUMULATED = frozenset({"when", "tags", "environment", "module_defaults", "notify"})
NEVER_PASSED_DOWN = frozenset({"name", "vars"}) | TASK_ONLY

Keywords = Mapping[str, object]


def inherit(parent: Keywords, own: Keywords) -> dict[str, object]:
    """The keywords in force for a child: its own win; when, tags, environment and defaults add up, parents first."""
    merged = {key: value for key, value in parent.items() if key not in NEVER_PASSED_DOWN or key == "notify"}
    for key, value in own.items():
        if key in ACCUMULATED:
            merged[key] = (*_as_tuple(parent.get(key)), *_as_tuple(value))
        elif key not in ("vars",):
            merged[key] = value
    return merged


def _as_tuple(value: object) -> tuple[object, ...]:
    if value is None:
        return ()
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)
