"""Services by /etc/init.d scripts: running by their status, enabled by their rc links."""

import re
import time

from opsplay.remote.spec import ModuleFailure

STOPPED_WORDS = re.compile(r"\b(not running|stopped|is not running|dead|unused|could not access pid)\b", re.I)
RUNNING_WORDS = re.compile(r"\b(is running|running|started|active)\b", re.I)


class Service(object):
    """One init script."""

    def __init__(self, system, name, arguments="", pattern=None, pause=1.0):
        self.system = system
        self.name = name
        self.arguments = (arguments or "").split()
        self.pattern = pattern
        self.pause = pause
        self.script = "/etc/init.d/" + name

    @property
    def is_found(self):
        return self.system.stat(self.script) is not None

    def is_running(self):
        if self.pattern:
            return any(self.pattern in line for line in _processes(self.system))
        run = self._call("status")
        text = run.stdout + run.stderr
        if run.rc in (0, 3, 4) and not re.search(r"usage:", text, re.I):
            return run.rc == 0 and not STOPPED_WORDS.search(text)
        return bool(RUNNING_WORDS.search(text)) and not STOPPED_WORDS.search(text)

    def _call(self, verb):
        return self.system.run([self.script, verb] + self.arguments)

    def do(self, verb):
        if verb == "restart":
            self._call("stop")
            time.sleep(self.pause)
            verb = "start"
        run = self._call(verb)
        if run.rc != 0:
            raise ModuleFailure("Failed to %s service: %s" % (verb, self.name), rc=run.rc, stdout=run.stdout,
                                stderr=run.stderr)

    def is_enabled(self, runlevels=()):
        levels = list(runlevels) or ["2", "3", "4", "5"]
        found = [level for level in levels if self.system.glob("/etc/rc%s.d/S??%s" % (level, self.name))
                 or self.system.glob("/etc/rc.d/rc%s.d/S??%s" % (level, self.name))]
        return len(found) == len(levels) if runlevels else bool(found)

    def enable(self, wanted, runlevels=()):
        for argv in self._enabling(wanted, runlevels):
            run = self.system.run(argv)
            if run.rc != 0:
                raise ModuleFailure("Failed to %s service: %s" % ("enable" if wanted else "disable", self.name),
                                    rc=run.rc, stdout=run.stdout, stderr=run.stderr)

    def _enabling(self, wanted, runlevels):
        if self.system.which("update-rc.d"):
            verb = "enable" if wanted else "disable"
            return ([["update-rc.d", self.name, "defaults"]] if wanted else []) + [
                ["update-rc.d", self.name, verb] + list(runlevels)]
        if self.system.which("chkconfig"):
            levels = ["--level", "".join(runlevels)] if runlevels else []
            return [["chkconfig", "--add", self.name], ["chkconfig"] + levels + [self.name, "on" if wanted else "off"]]
        raise ModuleFailure("neither update-rc.d nor chkconfig is there to enable %s" % self.name)


def _processes(system):
    for entry in system.listdir("/proc"):
        if entry.isdigit():
            try:
                yield system.read_text("/proc/%s/cmdline" % entry).replace("\0", " ")
            except OSError:
                continue
