"""A verification: which test files, which hosts, one pytest session over one set of connections, an exit code."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from opsplay.errors import Fault, OpsError
from opsplay.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from opsplay.verify.connections import HostConnections

DEFAULT_TESTS = "roles/*/tests"
EXIT_CODES = {0: 0, 1: 2, 2: 130, 3: 3, 4: 1, 5: 1}  # pytest's -> ours


@dataclass(frozen=True, slots=True)
class Verification:
    """What to verify. `hosts` is a pattern; empty: what each test file names in testinfra_hosts, else all hosts."""

    paths: tuple[str, ...] = ()
    hosts: str = ""
    junit: str = ""
    pytest_args: tuple[str, ...] = ()


class AskEverywhere:
    """A pytest plugin. A test file that names no hosts is about all of them, never about the machine that pytest runs on."""

    @pytest.hookimpl(tryfirst=True)  # before testinfra reads the name
    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        module: Any = metafunc.module
        if "_testinfra_host" in metafunc.fixturenames and not hasattr(module, "testinfra_hosts"):
            module.testinfra_hosts = ["opsplay://all"]



def verify(wanted: Verification, connections: HostConnections) -> int:
    """Run the tests; the exit code: 0 all passed, 2 some failed, 1 nothing to run or used wrongly."""
    from opsplay.verify.connections import OPEN

    arguments = pytest_arguments(wanted, connections)
    OPEN.given = connections
    try:
        code = int(pytest.main(arguments, plugins=[AskEverywhere()]))
    finally:
        OPEN.given = None
        connections.close()
    return EXIT_CODES.get(code, 3)


def pytest_arguments(wanted: Verification, connections: HostConnections) -> list[str]:
    arguments = ["--tb=short", "-Wignore::pytest.PytestAssertRewriteWarning", *test_paths(wanted.paths)]
    if wanted.hosts:
        names = connections.hosts(wanted.hosts)
        arguments.append("--hosts=" + ",".join(f"opsplay://{name}" for name in names))
    if wanted.junit:
        arguments.append(f"--junitxml={wanted.junit}")
    if not _plugin_is_installed():
        arguments += ["-p", "opsplay.verify.pytest_plugin"]
    return [*arguments, *wanted.pytest_args]


def test_paths(given: Sequence[str]) -> list[str]:
    """The paths given, else the test folders of the roles here. Raises OpsError where there is none."""
    missing = [path for path in given if not Path(path.split("::")[0]).exists()]
    if missing:
        raise OpsError("no-such-tests", f"there is no {missing[0]}", remedy="Name files or folders of tests.", fault=Fault.USAGE)
    found = list(given) or sorted(glob.glob(DEFAULT_TESTS))
    if not found:
        raise OpsError(
            "no-tests",
            f"there are no tests: no path was given and nothing is in {DEFAULT_TESTS}",
            remedy="Name a file of testinfra tests: opsplay verify tests/test_web.py",
            fault=Fault.USAGE,
        )
    return found


def _plugin_is_installed() -> bool:
    """pytest loads it by itself where opsplay is installed; it refuses to load it twice."""
    from importlib.metadata import entry_points

    return any(point.value == "opsplay.verify.pytest_plugin" for point in entry_points(group="pytest11"))
