"""Launch: from what the command line or a program asks for to a run: settings, vault, inventory, playbooks, then the plays."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, cast

from opsplay import __version__
from opsplay.engine.connections import Connections, Open
from opsplay.engine.ending import Ending
from opsplay.engine.run import FAULT, INTERRUPTED, Ask, Run, finished
from opsplay.engine.selection import check_start
from opsplay.errors import EXIT_CODES, Fault, OpsError, OpsErrors, did_you_mean
from opsplay.events import Listener, Notice, RunStarted
from opsplay.inventory.inventory import LOCALHOST
from opsplay.inventory.live import LiveInventory
from opsplay.inventory.settings import InventorySettings
from opsplay.lazy_dataclass import dataclass
from opsplay.model.building import Workshop
from opsplay.model.catalog import Catalog
from opsplay.model.play import Playbook
from opsplay.model.playbooks import read_playbook
from opsplay.model.rejecting import rejected_modules
from opsplay.plan.checks import check_notifies, check_playbook
from opsplay.plan.fail_limit import read_limit
from opsplay.settings import Settings
from opsplay.signals import require_none_came
from opsplay.templating.layer import VarLayer
from opsplay.templating.scope import DictScope
from opsplay.templating.templar import Templar
from opsplay.variables.store import Options, VariableStore
from opsplay.vault.secrets import VaultSecrets


def new_run_id() -> str:
    """Sorts by time, and two at once differ."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()) + "-" + os.urandom(3).hex()


@dataclass
class Prepared:
    """A run that is ready to start: everything that could be known to be wrong has been said."""

    run: Run
    playbooks: list[tuple[Playbook, Workshop]]
    paths: tuple[str, ...]
    run_id: str = field(default_factory=new_run_id)


def assemble(
    settings: Settings,
    options: Options,
    extra: VarLayer | None = None,
    vault: VaultSecrets | None = None,
    ask: Ask | None = None,
    open_transport: Open | None = None,
    playbook_dir: Path | None = None,
) -> Run:
    """A Run with its inventory loaded. Raises OpsError."""
    extra = extra or VarLayer("extra vars (-e)")
    opener = vault if vault is not None else VaultSecrets()
    live = LiveInventory(
        list(options.inventory),
        inventory_settings(settings, extra),
        opener,
    )
    store = VariableStore(live, settings, options, extra)
    secrets: set[str] = set()
    base = playbook_dir or Path.cwd()
    templar = Templar(settings, opener, plugins_for(settings, base), None, None)
    store.templar = templar
    library = [str(base / "library"), *settings.library]
    catalog = Catalog(
        library,
        [str(base / "collections"), *settings.collections_path],
        [str(base / "action_plugins"), *settings.action_plugins],
        rejected_modules(settings.plugin_filters_cfg, live.current.notices.append),
    )
    connections = Connections(settings, open_transport, (str(base / "connection_plugins"), *settings.connection_plugins))
    run = Run(settings, options, live, store, templar, catalog, connections, [], ask, secrets,
              fail_limit=read_limit(options.max_fail))  # fmt: skip
    connections.tell = run.tell_connection
    from opsplay.engine.lookup_context import RunLookups

    templar.lookup_context = RunLookups(run, base)  # type: ignore[assignment]

    def warn(text: str) -> None:
        if run.listeners:
            run.warn(text)
        else:
            run.inventory.notices.append(text)  # told when the run starts

    templar.plugins.warn = warn
    if settings.untrusted_templates == "warning":
        templar.tell_untrusted(warn)
    use_fact_cache(run, warn)
    return run


def use_fact_cache(run: Run, warn: Callable[[str], None]) -> None:
    """Facts of earlier runs, where the settings ask for them; `--flush-cache` forgets those of the hosts in --limit."""
    from opsplay.variables.fact_cache import fact_cache

    run.store.fact_cache = fact_cache(run.settings, warn)
    if run.options.flush_cache:
        for host in {*run.inventory.select("all", run.options.limit, lambda text: None), *LOCALHOST}:
            run.store.clear_facts(host)


def inventory_settings(settings: Settings, extra: VarLayer) -> InventorySettings:
    """How inventories are read; a source that cannot be read stops a run, but for the drop-ins, as Ansible has it."""
    strict = settings.inventory_any_unparsed_failed or not settings.compatible
    return InventorySettings.of(settings, extra_variables=extra.values, unparsed="error" if strict else "warn")


def plugins_for(settings: Settings, base: Path) -> Any:
    from opsplay.templating.plugins import Plugins

    def folders(name: str) -> list[str]:
        return [
            str(Path(item).expanduser()) for item in (str(base / name), *cast(tuple[str, ...], getattr(settings, name)))
        ]

    collections = [str(Path(item).expanduser()) for item in (str(base / "collections"), *settings.collections_path)]
    return Plugins(folders("filter_plugins"), folders("test_plugins"), folders("lookup_plugins"), collections)


def prepare(run: Run, paths: Sequence[str], vault: VaultSecrets | None = None) -> Prepared:
    """Read and check the playbooks. Raises OpsErrors with everything that is wrong."""
    books: list[tuple[Playbook, Workshop]] = []
    problems: list[OpsError] = []
    for path in paths:
        shop = workshop_for(run, Path(path), vault)
        try:
            book = read_playbook(shop, Path(path))
        except OpsError as error:
            problems += [*shop.problems, error]
        else:
            problems += in_order([*shop.problems, *checked(run, book, whole=not shop.problems)])
            books.append((book, shop))
    check_limit(run)
    if run.options.start_at and not problems:
        check_start([book for book, _ in books], run.options.start_at)
    if problems:
        raise problems[0] if len(problems) == 1 else OpsErrors(problems)
    return Prepared(run, books, tuple(paths))


def checked(run: Run, book: Playbook, whole: bool) -> list[OpsError]:
    """What is wrong beyond the reading; `whole`: no handler was left out because of an error in it."""
    if run.settings.compatible:
        return []
    notifies = check_notifies(book) if whole and run.settings.error_on_missing_handler else []
    return [*check_playbook(book, run.catalog, run.known), *notifies]


def in_order(problems: list[OpsError]) -> list[OpsError]:
    """Files as they were first met, in each the order of its lines."""
    files = {
        path: number
        for number, path in enumerate(dict.fromkeys(problem.where.path for problem in problems if problem.where))
    }
    return sorted(
        problems, key=lambda problem: (files[problem.where.path], problem.where.line) if problem.where else (-1, 0)
    )


def check_limit(run: Run) -> None:
    """A --limit that leaves no host at all is a slip. Raises OpsError."""
    hosts = list(run.inventory.hosts)
    if run.options.limit and hosts and not run.inventory.select("all", run.options.limit, lambda text: None):
        hint = did_you_mean(run.options.limit, {*hosts, *run.inventory.groups})
        raise OpsError("no-hosts-matched", f"--limit {run.options.limit} does not match any hosts", fault=Fault.USAGE,
                       remedy=hint or "List the hosts with: opsplay inventory")  # fmt: skip


def workshop_for(run: Run, path: Path, vault: VaultSecrets | None = None) -> Workshop:
    folder = path.parent.absolute()

    def render(value: object, layers: tuple[VarLayer, ...]) -> object:
        values: dict[str, object] = {"playbook_dir": str(folder)}
        for layer in (*layers, run.store.extra):
            values.update(layer.values)
        return run.templar.render(value, DictScope(values))

    def new_folder(path: Path) -> None:
        for kind in ("filter", "test", "lookup"):
            if (path / f"{kind}_plugins").is_dir():
                run.templar.plugins.add(kind, str(path / f"{kind}_plugins"))

    return Workshop(run.catalog, run.settings, folder, render, vault, new_folder=new_folder)


def execute(prepared: Prepared, listeners: Sequence[Listener]) -> int:
    """Run it; the exit code. Every way to end is told to the listeners; errors of ours are raised after that."""
    require_none_came()
    run = prepared.run
    run.listeners = list(listeners)
    begun = time.monotonic()
    error = ""
    failure: BaseException | None = None
    code = FAULT
    with Ending(run.stop) as ending:
        try:
            tell_start(prepared)
            code = asyncio.run(ending.guard(run.playbooks(prepared.playbooks)))
            error = run.stopped
        except OpsError as problem:
            code, error, failure = EXIT_CODES[problem.fault], problem.render(), problem
        except (KeyboardInterrupt, asyncio.CancelledError):
            code, error = INTERRUPTED, "interrupted by the operator"
        except Exception as problem:
            code, error, failure = FAULT, f"{type(problem).__name__}: {problem}", problem
        run.emit(finished(prepared.run_id, code, begun, error))
    if failure is not None:
        raise failure
    return code


def tell_start(prepared: Prepared) -> None:
    run = prepared.run
    run.emit(start_event(prepared))
    for event in run.pending:
        run.emit(event)
    if run.settings.verbosity >= 2:
        for book, _ in prepared.playbooks:
            run.emit(Notice(time.time(), "info", f"{len(book.plays)} plays in {book.path}"))
    for warning in (*run.settings.warnings, *run.inventory.notices):
        run.emit(Notice(time.time(), "warning", warning))


def start_event(prepared: Prepared) -> RunStarted:
    run = prepared.run
    return RunStarted(
        time.time(), prepared.run_id, prepared.paths, run.options.inventory, tuple(run.inventory.hosts), operator(), socket.gethostname(),
        tuple(masked_command(sys.argv)), run.options.check, run.options.diff, __version__, revision(prepared.paths),
    )  # fmt: skip


def operator() -> str:
    import getpass

    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def masked_command(argv: Sequence[str]) -> list[str]:
    """The command without what -e gave inline: that may hold secrets."""
    shown: list[str] = []
    hide = False
    for word in argv:
        if hide and not word.startswith("@"):
            shown.append("***")
        elif word.startswith(("--extra-vars=", "-e")) and word not in ("-e",) and not word.startswith("-e@"):
            shown.append(word.split("=")[0] + "=***" if word.startswith("--") else "-e***")
        else:
            shown.append(word)
        hide = word in ("-e", "--extra-vars")
    return shown


def revision(paths: Sequence[str]) -> str:
    """The git revision of the playbook's folder, with a + behind it when something there is changed."""
    import shutil
    import subprocess

    if not paths or shutil.which("git") is None:
        return ""
    folder = str(Path(paths[0]).absolute().parent)
    if not any((parent / ".git").exists() for parent in (Path(folder), *Path(folder).parents)):
        return ""
    command = ["git", "-C", folder, "describe", "--always", "--dirty=+", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=2, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def parse_extra(items: Sequence[str], vault: VaultSecrets | None = None) -> VarLayer:
    """The -e arguments: key=value, YAML or JSON text, @file; later ones win. Raises OpsError."""
    from opsplay.errors import Fault, Where
    from opsplay.model.free_form import parse_pairs
    from opsplay.source.json_reader import parse_json
    from opsplay.source.nodes import MapNode
    from opsplay.source.yaml_reader import read_yaml
    from opsplay.templating.layer import layer_from_node
    from opsplay.templating.values import compile_plain

    values: dict[str, object] = {}
    wheres: dict[str, Where] = {}
    for item in items:
        here = Where("-e")
        if item.startswith("@"):
            node = read_yaml(item[1:], vault=vault)
        elif item.lstrip()[:1] in ("{", "["):
            node = parse_json(item, "-e")
        else:
            pairs = parse_pairs(item, here)
            if "_raw_params" in pairs:
                raise OpsError("bad-extra-vars", f"-e takes name=value, YAML, JSON or @file, not {pairs['_raw_params']!r}", fault=Fault.USAGE,
                               remedy='Write -e name=value or -e \'{"name": "value"}\'')  # fmt: skip
            values.update({name: compile_plain(value, here) for name, value in pairs.items()})
            wheres.update(dict.fromkeys(pairs, here))
            continue
        if node is not None and not isinstance(node, MapNode):
            raise OpsError(
                "bad-extra-vars",
                "extra variables are a mapping",
                node.where,
                "Write NAME: VALUE pairs.",
                fault=Fault.USAGE,
            )
        layer = layer_from_node("extra vars (-e)", node)
        values.update(layer.values)
        wheres.update(layer.wheres)
    return VarLayer("extra vars (-e)", values, wheres)
