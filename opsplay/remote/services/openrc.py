"""Services of OpenRC: rc-service and rc-update."""

from opsplay.remote.spec import ModuleFailure


class Service(object):
    """One OpenRC service in one runlevel."""

    def __init__(self, system, name, arguments="", runlevel="default"):
        self.system = system
        self.name = name
        self.arguments = (arguments or "").split()
        self.runlevel = runlevel

    @property
    def is_found(self):
        return self.system.stat("/etc/init.d/" + self.name) is not None

    def is_running(self):
        run = self.system.run(["rc-service", self.name, "status"])
        return run.rc == 0 and "stopped" not in run.stdout

    def do(self, verb):
        run = self.system.run(["rc-service", self.name, verb] + self.arguments)
        if run.rc != 0:
            raise ModuleFailure("Unable to %s service %s: %s" % (verb, self.name, (run.stderr or run.stdout).strip()),
                                rc=run.rc, stdout=run.stdout, stderr=run.stderr)

    def is_enabled(self, runlevels=()):
        for line in self.system.run(["rc-update", "show"]).stdout.splitlines():
            name, bar, levels = line.partition("|")
            if bar and name.strip() == self.name:
                return self.runlevel in levels.split()
        return False

    def enable(self, wanted, runlevels=()):
        run = self.system.run(["rc-update", "add" if wanted else "delete", self.name, self.runlevel])
        if run.rc != 0:
            raise ModuleFailure("Unable to %s service %s: %s" % ("enable" if wanted else "disable", self.name,
                                                                 (run.stderr or run.stdout).strip()), rc=run.rc)
