"""Findings: what lint says of a task beyond its arguments: variables set nowhere, unknown filters, old forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from opsplay.errors import OpsError, Where, did_you_mean
from opsplay.lazy_dataclass import dataclass
from opsplay.model.play import Play, Task
from opsplay.plan.checks import tasks_of
from opsplay.plan.known_names import KnownNames
from opsplay.plan.reading import Reading, read_text
from opsplay.templating.template import Template

CONDITIONS = ("when", "changed_when", "failed_when", "until")
FORMER_TESTS = frozenset(["success", "succeeded", "failed", "changed", "skipped", "change", "skip"])


@dataclass(frozen=True, slots=True)
class Names:
    """What is there: variables, and which filters and tests have a name."""

    variables: KnownNames
    globals: frozenset[str]
    has_filter: Callable[[str], bool]
    has_test: Callable[[str], bool]
    filters: frozenset[str] = frozenset()


def findings(play: Play, names: Names) -> Iterator[OpsError]:
    """In the order of the text; one name is reported once in a task."""
    for layer in play.layers:
        for value in layer.values.values():
            for text, where in templates(value, play.where):
                yield from judged(read_text(text), where, names, frozenset())
    for task in tasks_of(play):
        if not task.implicit:
            yield from old_forms(task)
            yield from in_task(task, names)


def in_task(task: Task, names: Names) -> Iterator[OpsError]:
    conditions = [*conditions_of(task)]
    guarded = frozenset().union(*(read_text(text, True).probed for text, _ in conditions))
    local = frozenset(name for layer in task.layers for name in layer.values)
    said: set[tuple[str, str]] = set()
    reads = [(read_text(text, True), where) for text, where in conditions] + [(read_text(text), where) for text, where in texts_of(task)]
    for reading, where in reads:
        for problem in judged(reading, where, names, guarded | local):
            if (problem.code, problem.message) not in said:
                said.add((problem.code, problem.message))
                yield problem


def conditions_of(task: Task) -> Iterator[tuple[str, Where]]:
    for keyword in CONDITIONS:
        value = task.keywords.get(keyword) if keyword == "when" else task.own.get(keyword)
        for item in value if isinstance(value, (list, tuple)) else ():
            expression, where = item if isinstance(item, tuple) and len(item) == 2 else (item, task.where)
            text = getattr(expression, "source", expression)
            if isinstance(text, str):
                yield text, where or task.where


def texts_of(task: Task) -> Iterator[tuple[str, Where]]:
    values: list[object] = [task.name, task.args, *(layer.values for layer in task.layers)]
    values += [value for name, value in task.own.items() if name not in CONDITIONS]
    if task.loop is not None:
        values += [task.loop.value, dict(task.loop.control)]
    for value in values:
        yield from templates(value, task.where)


def templates(value: object, where: Where) -> Iterator[tuple[str, Where]]:
    if isinstance(value, Template):
        yield value.source, value.where or where
    elif isinstance(value, dict):
        for item in value.values():
            yield from templates(item, where)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from templates(item, where)


def judged(reading: Reading, where: Where, names: Names, fine: frozenset[str]) -> Iterator[OpsError]:
    if reading.syntax:
        yield OpsError("template-syntax", reading.syntax, where, "Check quotes and brackets.")
    for name in sorted(reading.names - fine - names.globals):
        if names.variables.complete and name not in names.variables:
            hint = did_you_mean(name, names.variables.names)
            yield OpsError("undefined-variable", f"nothing sets the variable '{name}'", where,
                           f"{hint} Set it, or give it a default: {{{{ {name} | default(...) }}}}".strip())  # fmt: skip
    for name in sorted(reading.filters):
        if not names.has_filter(name):
            remedy = f"Write: result is {name}" if name in FORMER_TESTS else did_you_mean(name.rpartition(".")[2], set(names.filters))
            yield OpsError("unknown-filter", f"no filter is called '{name}'", where, remedy or "List them with: opsplay doc -t filter --list")
    for name in sorted(reading.tests):
        if not names.has_test(name):
            yield OpsError("unknown-test", f"no test is called '{name}'", where, "List them with: opsplay doc -t test --list")


def old_forms(task: Task) -> Iterator[OpsError]:
    """Forms that Ansible has deprecated or removed, and the one that is nearly always a slip."""
    short = task.verb.rpartition(".")[2]
    if short == "include":
        yield OpsError("deprecated-form", "'include' was removed from Ansible", task.where, "Write include_tasks or import_tasks.")
    for text, where in conditions_of(task):
        if text.strip().startswith("{{"):
            inner = text.strip().removeprefix("{{").removesuffix("}}").strip()
            yield OpsError("deprecated-form", "a condition is an expression already: it needs no {{ }}", where, f"Write: {inner}")
    if short == "apt_key":
        yield OpsError("deprecated-form", "apt_key uses a keyring that Debian has deprecated", task.where,
                       "Put the key into /etc/apt/keyrings and name it with signed-by, as deb822_repository does.")  # fmt: skip
    mode = task.args.get("mode")
    if isinstance(mode, int) and not isinstance(mode, bool) and looks_decimal(mode):
        yield OpsError("mode-without-zero", f"mode: {mode} is a decimal number and means {mode:o} in octal",
                       task.args_where.get("mode") or task.where, f'Write mode: "0{mode}"')  # fmt: skip


def looks_decimal(mode: int) -> bool:
    """644 meant as rw-r--r--; 0644 arrives as 420."""
    text = str(mode)
    return len(text) in (3, 4) and set(text) <= set("01234567") and text[-3:] in {"644", "600", "640", "755", "750", "700", "664", "775", "777", "666", "400", "440", "444", "555"}
