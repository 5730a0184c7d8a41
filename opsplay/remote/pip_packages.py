"""pip: finds or makes its environment, says what is installed, installs and removes."""

import json
import os
import re
import shlex
import sys

from opsplay.remote.spec import ModuleFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SPECIFIER = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^]]*\])?\s*((?:[<>=!~]=?|===).*)?$")


def canonical(name: "str") -> "str":
    return re.sub(r"[-_.]+", "-", name).lower()


def joined(names: "Optional[List[str]]") -> "Optional[List[str]]":
    """`pip>=9,<10` is one package, although a text is split at commas."""
    whole: "List[str]" = []
    for name in names or ():
        if whole and name.strip()[:1] in "<>=!~":
            whole[-1] += "," + name.strip()
        else:
            whole.append(name.strip())
    return whole if names is not None else None


class Requirement(object):
    """`flask`, `flask[async]>=2`, a URL or a path."""

    def __init__(self, text: "str", version: "Optional[str]") -> "None":
        match = SPECIFIER.match(text.strip())
        self.named = match is not None
        self.name = match.group(1) if match else re.sub(r"^.*#egg=([\w.-]+).*$", r"\1", text)
        self.specifier = ((match.group(3) or "").strip() if match else "") or (_pinned(version) if version else "")
        self.text = text.strip() if not version else "%s%s%s" % (self.name, (match and match.group(2)) or "", _pinned(version))

    def held_by(self, installed: "Dict[str, str]") -> "bool":
        have = installed.get(canonical(self.name))
        if have is None:
            return False
        return all(_satisfies(have, clause.strip()) for clause in self.specifier.split(",") if clause.strip())


def _pinned(version: "str") -> "str":
    return version if version[:1] in "<>=!~" else "==" + version


def _satisfies(have: "str", clause: "str") -> "bool":
    match = re.match(r"^(===|[<>=!~]=|[<>])\s*(\S+)$", clause)
    if not match:
        raise ModuleFailure("version specifier cannot be read: %s" % clause)
    operator, wanted = match.groups()
    if wanted.endswith(".*"):
        same = have == wanted[:-2] or have.startswith(wanted[:-1])
        return same if operator == "==" else not same
    one, other = _key(have), _key(wanted)
    if operator == "~=":
        return one >= other and have.split(".")[:len(wanted.split(".")) - 1] == wanted.split(".")[:-1]
    return {"==": one == other, "===": have == wanted, "!=": one != other, "<=": one <= other, ">=": one >= other,
            "<": one < other, ">": one > other}[operator]


def _key(version: "str") -> "List[Any]":
    """Order of versions: numbers by value, pre-releases before the release; trailing zeros do not count."""
    match = re.match(r"^v?(?:(\d+)!)?(\d+(?:\.\d+)*)(.*)$", version.partition("+")[0].lower())
    if not match:
        return [0, [], (0, version)]
    numbers = [int(part) for part in match.group(2).split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    rest = match.group(3).lstrip(".-_")
    kind = -1 if re.match(r"^(a|b|c|rc|alpha|beta|pre|preview|dev)", rest) else 1 if rest else 0
    digits = re.findall(r"\d+", rest)
    return [int(match.group(1) or 0), numbers, (kind, rest[:1], int(digits[0]) if digits else 0)]


class Pip(object):
    def __init__(self, system: "System", args: "Args") -> "None":
        self.system = system
        self.args = args
        self.command: "List[str]" = []
        self.ran: "List[str]" = []  # what was done last

    def prepare(self) -> "bool":
        """Finds pip; makes the virtual environment where it is asked for and missing: whether it did (or would)."""
        if not self.args.virtualenv:
            self.command = self._system_pip()
            return False
        python = os.path.join(self.args.virtualenv, "bin", "python")
        self.command = [python, "-m", "pip"]
        if os.path.exists(os.path.join(self.args.virtualenv, "bin", "activate")):
            return False
        if not self.system.check:
            self._make_environment()
        return True

    def _system_pip(self) -> "List[str]":
        if self.args.executable:
            path = self.system.which(self.args.executable)
            if path is None:
                raise ModuleFailure("Unable to find the pip program %s" % self.args.executable)
            return [path]
        if self.system.run([sys.executable, "-m", "pip", "--version"]).rc == 0:
            return [sys.executable, "-m", "pip"]  # the pip of the Python that runs modules
        for name in ("pip3", "pip"):
            path = self.system.which(name)
            if path:
                return [path]
        python = self.system.which("python3")
        if python and self.system.run([python, "-m", "pip", "--version"]).rc == 0:
            return [python, "-m", "pip"]
        raise ModuleFailure("Unable to find any of pip3, pip to use. pip needs to be installed.")

    def _make_environment(self) -> "None":
        words = shlex.split(self.args.virtualenv_command)
        program = self.system.which(words[0])
        python = self.args.virtualenv_python
        if program is not None:
            words = [program] + words[1:] + (["--python", python] if python and words[1:2] != ["-m"] else [])
        elif words == ["virtualenv"]:
            words = [python or "python3", "-m", "venv"]
        else:
            raise ModuleFailure("Failed to find required executable %s" % words[0])
        words += ["--system-site-packages"] if self.args.virtualenv_site_packages else []
        run = self.system.run(words + [self.args.virtualenv], cwd=self.args.chdir, umask=self._umask())
        if run.rc != 0:
            raise ModuleFailure("cannot make the virtual environment: %s" % (run.stderr.strip() or run.stdout.strip()),
                                cmd=words, rc=run.rc)

    def installed(self) -> "Dict[str, str]":
        run = self._run(["list", "--format=json", "--disable-pip-version-check"])
        try:
            return {canonical(one["name"]): one["version"] for one in json.loads(run.stdout)}
        except (ValueError, KeyError, TypeError):
            raise ModuleFailure("pip list said what cannot be read: %s" % run.stdout[:200])

    def would_install(self, wanted: "List[Requirement]") -> "bool":
        """Asks pip's resolver where it has a dry run (pip 22.2); before that, says yes."""
        run = self._run(["install", "--dry-run", "--disable-pip-version-check"] + self._options(wanted), check=False)
        if run.rc != 0 and "no such option: --dry-run" in run.stderr:
            return True
        if run.rc != 0:
            raise ModuleFailure("pip failed: %s" % run.stderr.strip(), rc=run.rc, cmd=self.command)
        return "Would install" in run.stdout or self.args.editable

    def install(self, wanted: "List[Requirement]") -> "Any":
        self.ran = self.command + ["install", "--disable-pip-version-check"] + self._options(wanted)
        return self._run(self.ran[len(self.command):])

    def uninstall(self, names: "List[str]") -> "Any":
        return self._run(["uninstall", "-y"] + self._break() + names)

    def _options(self, wanted: "List[Requirement]") -> "List[str]":
        words = {"latest": ["--upgrade"], "forcereinstall": ["--upgrade", "--force-reinstall"]}.get(self.args.state, [])
        words = words + self._break() + shlex.split(self.args.extra_args or "")
        if self.args.requirements:
            return words + ["-r", self.args.requirements]
        texts = [one.text for one in wanted]
        return words + (["-e"] + texts if self.args.editable else texts)

    def _break(self) -> "List[str]":
        return ["--break-system-packages"] if self.args.break_system_packages else []

    def _run(self, words: "List[str]", check: "bool" = True) -> "Any":
        run = self.system.run(self.command + words, cwd=self.args.chdir, umask=self._umask())
        if check and run.rc != 0:
            raise ModuleFailure("pip failed: %s" % (run.stderr.strip() or run.stdout.strip()), rc=run.rc,
                                cmd=self.command + words, stdout=run.stdout, stderr=run.stderr)
        return run

    def _umask(self) -> "Optional[int]":
        return int(str(self.args.umask), 8) if self.args.umask is not None else None
