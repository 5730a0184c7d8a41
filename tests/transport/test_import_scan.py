"""The scan for imports finds in every remote file what Python's own parser finds."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from opsplay.transport import code

FILES = sorted((Path(code.__file__).parents[1] / "remote").rglob("*.py"))


def parsed(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith(code.PACKAGE + ".")}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(code.PACKAGE):
            inner = {f"{node.module}.{alias.name}" for alias in node.names if code._exists(f"{node.module}.{alias.name}")}
            found |= inner if node.module == code.PACKAGE else inner | {str(node.module)}
    return found


def test_scan_equals_parser() -> None:
    root = Path(code.__file__).parents[2]
    scanned = {path: code.imports(".".join(path.relative_to(root).with_suffix("").parts)) for path in FILES if path.name != "__init__.py"}
    assert len(scanned) > 100
    assert {path.name: found ^ parsed(path) for path, found in scanned.items() if found != parsed(path)} == {}


def test_what_paramiko_was_spared_is_there_when_wanted() -> None:
    text = (
        "import opsplay.transport.ssh, sys; assert 'invoke' not in sys.modules and 'importlib.metadata' not in sys.modules\n"
        "import paramiko, paramiko.config, importlib.metadata as m\n"
        "assert paramiko.__version__ == m.version('paramiko')\n"
        "assert paramiko.config.invoke.run('true', hide='stdout', warn=True).ok\n"
    )
    assert subprocess.run([sys.executable, "-c", text], timeout=60, check=False).returncode == 0
