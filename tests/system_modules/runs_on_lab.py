"""Runs one module on a lab host through that host's own python3, without SSH."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from typing import Any

from opsplay.actions.arguments import typed_arguments
from opsplay.lab import Lab
from opsplay.transport.code import closure, source

STUB = """
import importlib, importlib.abc, importlib.util, json, sys
given = json.load(sys.stdin)
class Sources(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        package = name in given["packages"]
        if package or name in given["sources"]:
            return importlib.util.spec_from_loader(name, self, is_package=package)
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        text = given["sources"].get(module.__name__, "")
        exec(compile(text, module.__name__, "exec"), module.__dict__)
sys.meta_path.insert(0, Sources())
from opsplay.remote.perform import perform
from opsplay.remote.spec import Args
from opsplay.remote.system import System
module = importlib.import_module("opsplay.remote.modules." + given["module"])
system = System(check=given["check"], diff=given["diff"])
print(json.dumps(perform(module, system, Args(given["args"]))))
"""
NEEDED = ("perform", "system", "spec", "process", "atomic_write", "host_facts")

Remote = Callable[..., dict[str, Any]]


def run_on(lab: Lab, host: str, module: str, args: dict[str, Any], check: bool = False, diff: bool = True,
           user: str = "root") -> dict[str, Any]:
    """The module's result on the host, run through the host's own python3, without SSH."""
    name = f"opsplay.remote.modules.{module}"
    spec = importlib.import_module(name).SPEC
    names = set(closure(name)).union(*[closure(f"opsplay.remote.{stem}") for stem in NEEDED])
    sources = {one: source(one) for one in names}
    packages = {"opsplay", "opsplay.remote", "opsplay.remote.modules"} | {
        one for one in names if any(other.startswith(one + ".") for other in names)}
    given = {"sources": sources, "packages": sorted(packages), "module": module, "args": typed_arguments(module, spec, args),
             "check": check, "diff": diff}
    done = lab.run(host, f"cat > /run/opsplay-test.json; runuser -u {user} -- python3 -c '{STUB}' < /run/opsplay-test.json",
                   check=False, text=json.dumps(given))
    try:
        result: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise AssertionError(f"{module} on {host}: {done.stdout[-2000:]} {done.stderr[-4000:]}") from None
    return result
