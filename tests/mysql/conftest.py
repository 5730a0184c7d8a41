"""A private MariaDB server on a socket of its own; `ask` runs a module against it. Skipped, with the reason, where mariadbd is not installed."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from opsplay.actions.arguments import typed_arguments
from opsplay.remote.mysql_wire import Connection, connect
from opsplay.remote.perform import perform
from opsplay.remote.spec import Args
from opsplay.remote.system import System

Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of a server whose root needs no password."""
    missing = [name for name in ("mariadbd", "mariadb-install-db", "mariadb-dump") if not shutil.which(name)]
    if missing:
        told = f"needs {', '.join(missing)} (packages mariadb-server-core and mariadb-client): tools/setup.sh test installs them, as root"
        pytest.fail(told) if os.geteuid() == 0 else pytest.skip(told)
    base = tmp_path_factory.mktemp("mariadb")
    socket = base / "s"
    program = Path(str(shutil.which("mariadbd"))).resolve()
    share = program.parent.parent / "share" / "mysql"
    common = ["--no-defaults", f"--datadir={base}/data", f"--lc-messages-dir={share}", *(["--user=root"] if os.geteuid() == 0 else [])]
    install = ["mariadb-install-db", *common, f"--basedir={program.parent.parent}", "--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run(install, check=True, capture_output=True, timeout=120)
    words = [str(program), *common, f"--socket={socket}", "--skip-networking", f"--pid-file={base}/pid", "--innodb-buffer-pool-size=16M"]
    with (base / "log").open("wb") as log, subprocess.Popen(words, stdout=log, stderr=log) as process:
        deadline = time.monotonic() + 60
        while not socket.exists():
            assert process.poll() is None and time.monotonic() < deadline, (base / "log").read_text()[-2000:]
            time.sleep(0.05)
        yield socket
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture
def root(server: Path) -> Iterator[Connection]:
    made = connect("root", "", path=str(server))
    yield made
    made.close()


@pytest.fixture
def ask(server: Path) -> Ask:
    def run(module: str, args: dict[str, Any], check: bool = False, diff: bool = True) -> dict[str, Any]:
        code = importlib.import_module(f"opsplay.remote.modules.{module}")
        login = {"login_user": "root", "login_unix_socket": str(server), "config_file": ""}
        return dict(perform(code, System(check=check, diff=diff), Args(typed_arguments(module, code.SPEC, {**login, **args}))))

    return run


@pytest.fixture
def proved(ask: Ask) -> Ask:
    """Check mode predicts and leaves everything, the run changes, the second run does not."""

    def run(module: str, args: dict[str, Any]) -> dict[str, Any]:
        predicted, predicted_again = ask(module, args, check=True), ask(module, args, check=True)
        result, again = ask(module, args), ask(module, args)
        assert (predicted["changed"], predicted_again["changed"], result["changed"], again["changed"]) == (True, True, True, False), (result, again)
        assert predicted.get("diff") == result.get("diff")
        return result

    return run
