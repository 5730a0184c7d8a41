"""systemd's units: what systemctl shows of one, and the commands that change it."""

import os

from opsplay.remote.spec import ModuleFailure

RUNNING = ("active", "activating", "reloading", "refreshing")
NOT_RUNNING = ("inactive", "failed", "deactivating", "maintenance", "")
ENABLED = ("enabled", "enabled-runtime", "alias", "static", "generated", "linked", "linked-runtime")
SUFFIXES = (".service", ".socket", ".timer", ".target", ".mount", ".automount", ".swap", ".path", ".slice", ".scope",
            ".device", ".snapshot", ".busname")


class Manager(object):
    """systemctl for one scope (system, user, global)."""

    def __init__(self, system, scope="system", no_block=False, force=False):
        self.system = system
        self.scope = scope
        self._argv = ["systemctl"]
        if scope != "system":
            self._argv.append("--" + scope)
        self._flags = (["--no-block"] if no_block else []) + (["--force"] if force else [])
        self._environment = {}
        if scope == "user" and "XDG_RUNTIME_DIR" not in os.environ:
            self._environment["XDG_RUNTIME_DIR"] = "/run/user/%d" % os.geteuid()

    def ask(self, *words):
        if not self.system.which("systemctl"):
            raise ModuleFailure("systemctl was not found: this host is not run by systemd")
        return self.system.run(self._argv + list(words), environment=self._environment)

    def do(self, verb, *units):
        """Run a verb that changes something; its failure is the task's, with what the unit itself says."""
        flags = self._flags if verb in ("start", "stop", "restart", "reload") else [
            flag for flag in self._flags if flag == "--force"]
        run = self.ask(*(flags + [verb] + list(units)))
        if run.rc != 0:
            what = " ".join((verb,) + units)
            raise ModuleFailure("Unable to %s: %s" % (what, (run.stderr or run.stdout).strip()),
                                rc=run.rc, stdout=run.stdout, stderr=run.stderr)
        return run

    def unit(self, name):
        return Unit(self, name)


class Unit(object):
    """One unit as `systemctl show` has it at this moment."""

    def __init__(self, manager, name):
        self.manager = manager
        self.name = name
        run = manager.ask("show", "--no-pager", "--", name)
        self.status = parse_properties(run.stdout) if run.rc == 0 else {}
        self.error = "" if run.rc == 0 else (run.stderr or run.stdout).strip()
        self.in_chroot = "Running in chroot" in run.stderr + run.stdout or os.environ.get("SYSTEMD_OFFLINE") == "1"
        self.offline = run.rc != 0 or self.in_chroot or not self.status  # no systemd to talk to

    @property
    def is_found(self):
        if self.offline:
            return self.file_state not in ("", "not-found")
        return self.status.get("LoadState") not in ("not-found", None, "") or self.is_template_there

    @property
    def is_template_there(self):
        return bool(self.status.get("FragmentPath"))

    @property
    def file_state(self):
        state = self.status.get("UnitFileState", "")
        if state and state not in ("bad", "generated"):
            return state
        run = self.manager.ask("is-enabled", "--", self.name)
        words = run.stdout.split()
        return words[-1] if words else ""

    @property
    def is_enabled(self):
        return self.file_state in ENABLED

    @property
    def is_masked(self):
        return self.status.get("LoadState") == "masked" or (self.offline and self.file_state.startswith("masked"))

    @property
    def is_running(self):
        return self.status.get("ActiveState") in RUNNING

    @property
    def is_leaving(self):
        return self.status.get("ActiveState") == "deactivating"


def parse_properties(text):
    """KEY=VALUE lines; a value in braces may go on over lines (ExecStart={ ... })."""
    values = {}
    key = None
    for line in text.splitlines():
        if key is not None and not values[key].rstrip().endswith("}"):
            values[key] += "\n" + line
            continue
        name, equals, value = line.partition("=")
        if equals:
            values[name] = value
            key = name if value.lstrip().startswith("{") and not value.rstrip().endswith("}") else None
    return values


def full_name(name):
    """A bare name is a service's."""
    return name if name.endswith(SUFFIXES) else name + ".service"
