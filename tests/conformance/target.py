"""One integration target, run inside the isolation: the tree, inventory and environment that such targets expect.

    target.py TARGET CHECKOUT TOOLS PYTHON SECONDS

Standard library only, for it runs by the root's own Python. The last line says `conformance: STATUS RECAP-SUMS`;
97 is a set-up target that failed, 98 a role whose play did not reach its end, 124 the time limit.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAMS = ("ansible", "ansible-config", "ansible-console", "ansible-doc", "ansible-galaxy", "ansible-inventory", "ansible-pull", "ansible-vault")
COUNTS = ("ok", "changed", "unreachable", "failed", "skipped", "rescued", "ignored")
RECAP = re.compile(" +".join(rf"{name}=(\d+)" for name in COUNTS))


class Target:
    def __init__(self, name: str, checkout: Path, tools: Path, python: str, seconds: float) -> None:
        self.name, self.checkout, self.tools, self.python = name, checkout, tools, python
        self.targets = checkout / "test" / "integration" / "targets"
        self.end = time.monotonic() + seconds
        self.work = Path(tempfile.mkdtemp(prefix=f"conformance-{name}-", dir="/var/tmp"))
        self.tree = self.work / "test" / "integration"

    def aliases(self, name: str) -> list[str]:
        path = self.targets / name / "aliases"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line.partition("#")[0].strip() for line in lines if line.partition("#")[0].strip()]

    def named(self, name: str, *kinds: str) -> list[str]:
        return [alias.rpartition("/")[2] for alias in self.aliases(name) if alias.rpartition("/")[0] in kinds]

    def needed(self, name: str) -> set[str]:
        """The target, what its aliases and its role's dependencies name, and theirs."""
        found: set[str] = set()
        queue = [name]
        while queue:
            one = queue.pop()
            if one in found or not (self.targets / one).is_dir():
                continue
            found.add(one)
            meta = self.targets / one / "meta" / "main.yml"
            words = re.findall(r"^\s*-\s*(?:role:\s*)?(\w+)\s*$", meta.read_text(), re.M) if meta.exists() else []
            queue += [*self.named(one, "needs/target", "setup/always", "setup/once"), *words]
        return found

    # -- what a target finds around itself

    def prepare(self) -> None:
        helpers = {path.name for path in self.targets.iterdir() if path.name.startswith(("setup_", "prepare_"))}
        for name in sorted(self.needed(self.name) | helpers):
            shutil.copytree(self.targets / name, self.tree / "targets" / name, symlinks=True)
        support = self.checkout / "test" / "support" / "integration"
        if support.is_dir():
            shutil.copytree(support, self.work / "test" / "support" / "integration", symlinks=True)
        (self.work / "lib").mkdir()
        (self.work / "lib" / "ansible").symlink_to(self.checkout / "lib" / "ansible")
        (self.work / "test" / "lib").symlink_to(self.checkout / "test" / "lib")
        for alias in self.aliases(self.name):
            if alias.startswith("needs/file/"):
                self.copy_file(alias.removeprefix("needs/file/"))
        (self.work / "out").mkdir()
        self.programs()
        host = {"ansible_pipelining": True, "ansible_python_interpreter": self.python, "ansible_connection": "local"}
        if "needs/ssh" in self.aliases(self.name):
            host |= {"ansible_connection": "ssh", "ansible_host": "localhost", "ansible_user": "root",
                     "ansible_ssh_extra_args": "-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no"}  # fmt: skip
        written = " ".join(f"{name}={json.dumps(value) if isinstance(value, str) else value}" for name, value in host.items())
        (self.tree / "inventory").write_text(f"[testgroup]\ntesthost {written}\n")
        (self.tree / "integration.cfg").write_text("[defaults]\n")

    def copy_file(self, name: str) -> None:
        place = self.work / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            shutil.copy(self.checkout / name, place)

    def programs(self) -> None:
        """The tools under test, with ansible-playbook's output kept: its PLAY RECAP lines say how much was done."""
        folder = self.work / "bin"
        folder.mkdir()
        for name in PROGRAMS:
            (folder / name).symlink_to(self.tools / name)
        kept = self.work / "tool.out"
        script(folder / "ansible-playbook", f'if [ -t 1 ]; then exec {self.tools}/ansible-playbook "$@"; fi\n'
               f'{self.tools}/ansible-playbook "$@" | tee -a {kept}; exit ${{PIPESTATUS[0]}}')  # fmt: skip
        for name in ("python", "python3"):
            script(folder / name, f'exec {self.python} "$@"')
        (folder / "virtualenv.sh").symlink_to(self.checkout / "test/lib/ansible_test/_util/target/injector/virtualenv.sh")

    def environment(self) -> dict[str, str]:
        out, tree = str(self.work / "out"), str(self.tree)
        version = re.search(r"__version__ = '(.+)'", (self.checkout / "lib/ansible/release.py").read_text())
        made = {
            "HOME": "/root", "USER": "root", "TERM": "xterm", "LC_ALL": "en_US.UTF-8", "PAGER": "/bin/cat",
            "PYTHONPATH": str(self.checkout / "lib"),  # the targets' own scripts import it; the drop-ins set their own
            "PATH": f"{self.work}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "OUTPUT_DIR": out, "JUNIT_OUTPUT_DIR": out, "INVENTORY_PATH": f"{tree}/inventory",
            "ANSIBLE_CONFIG": f"{tree}/integration.cfg", "ANSIBLE_INVENTORY": "/dev/null", "ANSIBLE_LIBRARY": "/dev/null",
            "ANSIBLE_FORCE_COLOR": "false", "ANSIBLE_FORCE_HANDLERS": "true", "ANSIBLE_HOST_PATTERN_MISMATCH": "error",
            "ANSIBLE_DEPRECATION_WARNINGS": "false", "ANSIBLE_HOST_KEY_CHECKING": "false", "ANSIBLE_RETRY_FILES_ENABLED": "false",
            "ANSIBLE_DEVEL_WARNING": "false", "ANSIBLE_TEST_CI": "", "ANSIBLE_TEST_COVERAGE": "", "ANSIBLE_TEST_PREFER_VENV": "1",
            "ANSIBLE_PYTHON_INTERPRETER": "/set/ansible_python_interpreter/in/inventory", "ANSIBLE_TEST_CONTENT_ROOT": str(self.work),
            "ANSIBLE_TEST_ANSIBLE_LIB_ROOT": str(self.checkout / "lib/ansible"), "ANSIBLE_TEST_PYTHON_INTERPRETER": self.python,
            "ANSIBLE_TEST_PYTHON_VERSION": f"{sys.version_info[0]}.{sys.version_info[1]}", "ANSIBLE_TEST_ANSIBLE_VERSION": version[1] if version else "",
        }  # fmt: skip
        made |= {name: os.environ[name] for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS") if name in os.environ}
        plugins = self.work / "test" / "support" / "integration" / "plugins"
        for name, folder in (("LIBRARY", "modules"), ("FILTER_PLUGINS", "filter"), ("MODULE_UTILS", "module_utils")):
            if (plugins / folder).is_dir():
                made[f"ANSIBLE_{name}"] = str(plugins / folder)
        for alias in self.aliases(self.name):
            if alias.startswith("env/set/"):
                name, _, value = alias.removeprefix("env/set/").partition("/")
                made[name] = value
        return made

    # -- running it

    def run(self) -> int:
        self.prepare()
        for name in self.named(self.name, "setup/always", "setup/once"):
            if self.one(name) != 0:
                return 97
        return self.one(self.name)

    def one(self, name: str) -> int:
        folder = self.tree / "targets" / name
        if (folder / "runme.sh").exists():
            return self.command(["./runme.sh", "-v"], folder, {"ANSIBLE_PLAYBOOK_DIR": str(folder)})
        proof, play = self.work / f"proof-{name}", self.tree / f"{name}-play.yml"
        gathers = "gather_facts/no" not in self.aliases(name)
        play.write_text(json.dumps([
            {"hosts": "testhost", "gather_facts": gathers, "vars": {"output_dir": str(self.work / "out")}, "roles": [name]},
            {"hosts": "testhost", "gather_facts": False, "tasks": [{"command": f"touch {proof}"}]},
        ]))  # fmt: skip
        more = {"ANSIBLE_PLAYBOOK_DIR": str(self.tree), "ANSIBLE_ROLES_PATH": str(self.tree / "targets")}
        status = self.command(["ansible-playbook", play.name, "-i", "inventory", "-v"], self.tree, more)
        return status if status or proof.exists() else 98

    def command(self, argv: list[str], folder: Path, more: dict[str, str]) -> int:
        left = f"{max(1.0, self.end - time.monotonic()):.0f}"
        environment = {**self.environment(), **more}
        return subprocess.run(["timeout", "-k", "5", left, *argv], cwd=folder, env=environment, check=False).returncode

    def sums(self) -> dict[str, int]:
        path = self.work / "tool.out"
        text = path.read_text(errors="replace") if path.exists() else ""
        lines = RECAP.findall(re.sub(r"\x1b\[[\d;]*m", "", text))
        return {name: sum(int(line[index]) for line in lines) for index, name in enumerate(COUNTS)} if lines else {}


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)


def main() -> None:
    name, checkout, tools, python, seconds = sys.argv[1:]
    target = Target(name, Path(checkout), Path(tools), python, float(seconds))
    status = target.run()
    sys.stdout.flush()
    print("conformance:", json.dumps({"status": status, "recap": target.sums()}), flush=True)


if __name__ == "__main__":
    main()
