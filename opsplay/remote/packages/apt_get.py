"""apt-get command lines: a plan by simulation first, then exactly that plan."""

import os
import re

from opsplay.remote.packages import apt_lock, apt_trust, dpkg
from opsplay.remote.spec import ModuleFailure

QUIET = {"DEBIAN_FRONTEND": "noninteractive", "DEBIAN_PRIORITY": "critical", "APT_LISTCHANGES_FRONTEND": "none",
         "APT_LISTBUGS_FRONTEND": "none", "UCF_FORCE_CONFFOLD": "1"}
INSTALL = re.compile(r"^Inst (\S+)(?: \[([^\]]*)\])? \((\S+) ?([^)]*)\)", re.M)
REMOVE = re.compile(r"^(Remv|Purg) (\S+)(?: \[([^\]]*)\])?", re.M)
CONFIGURE = re.compile(r"^Conf (\S+) \((\S+)", re.M)
MISSING = re.compile(r"Unable to locate package (\S+)|Version '[^']*' for '([^']+)' was not found|"
                     r"Package '?([^\s']+)'? has no installation candidate|Couldn't find any package by (?:glob|regex) '([^']+)'")
HEADLINE = re.compile(r"^The following .*:$|^\d+ upgraded, ", re.M)


class Action(object):
    """One thing that apt is going to do."""

    __slots__ = ("kind", "name", "new", "old", "origin")

    def __init__(self, kind, name, old="", new="", origin=""):
        self.kind = kind  # install, upgrade, downgrade, remove, purge, configure
        self.name = name
        self.old = old
        self.new = new
        self.origin = origin

    def __str__(self):
        versions = " -> ".join(version for version in (self.old, self.new) if version)
        return "%s %s%s" % (self.kind, self.name, " (%s)" % versions if versions else "")


class Plan(object):
    """What `apt-get --simulate` says that the same command will do."""

    def __init__(self, run):
        self.run = run
        self.actions = list(_actions(run.stdout))

    @property
    def summary(self):
        """The lines that Ansible shows as `diff.prepared`."""
        kept = []
        inside = False
        for line in self.run.stdout.splitlines():
            if HEADLINE.match(line):
                inside = not line[0].isdigit()
                kept.append(line)
            elif inside and line.startswith(" "):
                kept.append(line)
            else:
                inside = False
        return "\n".join(kept) + ("\n" if kept else "")


def _actions(text):
    touched = set()
    for name, old, new, origin in INSTALL.findall(text):
        touched.add(name)
        yield Action("upgrade" if old else "install", name, old, new, origin)
    for word, name, old in REMOVE.findall(text):
        yield Action("remove" if word == "Remv" else "purge", name, old)
    for name, version in CONFIGURE.findall(text):
        if name not in touched:
            yield Action("configure", name, "", version)


class AptGet(object):
    """apt-get with the options that a task asks for."""

    def __init__(self, system, args):
        self.system = system
        self.args = args
        self.patience = apt_lock.Patience(system, args.lock_timeout)
        self.environment = dict(QUIET)
        if "NEEDRESTART_MODE" not in (system.environment or {}) and "NEEDRESTART_MODE" not in os.environ:
            self.environment["NEEDRESTART_MODE"] = "l"  # it may list what needs a restart, and restarts nothing unasked

    def options(self):
        args = self.args
        flags = ["-y", "-q"]
        for option in (args.dpkg_options or "").split(","):
            if option.strip():
                flags += ["-o", "Dpkg::Options::=--%s" % option.strip()]
        if args.force:
            flags += ["--allow-downgrades", "--allow-remove-essential", "--allow-change-held-packages",
                      "--allow-unauthenticated"]
        for wanted, flag in ((args.allow_unauthenticated, "--allow-unauthenticated"),
                             (args.allow_downgrade, "--allow-downgrades"),
                             (args.allow_change_held_packages, "--allow-change-held-packages"),
                             (args.only_upgrade, "--only-upgrade"), (args.fail_on_autoremove, "--no-remove"),
                             (args.autoremove, "--auto-remove"), (args.purge, "--purge")):
            if wanted and flag not in flags:
                flags.append(flag)
        if args.install_recommends is not None:
            flags += ["-o", "APT::Install-Recommends=%s" % ("yes" if args.install_recommends else "no")]
        if args.default_release:
            flags += ["-t", args.default_release]
        return flags

    def plan(self, words):
        """Simulate; a refusal (held, downgrade, conflict, not found) is the task's failure, in check mode too."""
        run = self._run(["--simulate"] + words)
        if run.rc != 0:
            raise self.refusal(words, run)
        plan = Plan(run)
        if not (self.args.allow_unauthenticated or self.args.force):
            self._require_signatures(words, plan)
        return plan

    def _require_signatures(self, words, plan):
        names = apt_trust.unauthenticated(self.system, plan.actions)
        if names:
            raise ModuleFailure("'apt-get %s' failed: the archives of these packages are not signed: %s "
                                "(allow_unauthenticated would install them all the same)" % (" ".join(words), ", ".join(names)),
                                unauthenticated=names, rc=100, stdout=plan.run.stdout, stderr=plan.run.stderr)

    def carry_out(self, words, plan):
        """Do it, under the lock, and see that the plan became true."""
        run = self.patience.run(lambda: self._run(words + self._wait_option()), apt_lock.DPKG_LOCKS)
        if run.rc != 0 and "dpkg --configure -a" in run.stderr + run.stdout:
            self.finish_interrupted()
            run = self.patience.run(lambda: self._run(words + self._wait_option()), apt_lock.DPKG_LOCKS)
        if run.rc != 0:
            raise self.refusal(words, run)
        self._check_result(plan, run)
        return run

    def _wait_option(self):
        return ["-o", "DPkg::Lock::Timeout=%d" % int(self.patience.left)]

    def _run(self, words):
        return self.system.run(["apt-get"] + self.options() + words, environment=self.environment)

    def finish_interrupted(self):
        """apt refuses all work until a dpkg that was killed is finished; that is what its own message asks for."""
        flags = ["--force-%s" % word.strip().replace("force-", "", 1)
                 for word in (self.args.dpkg_options or "").split(",") if word.strip()]
        run = self.patience.run(lambda: self.system.run(["dpkg"] + flags + ["--configure", "-a"],
                                                        environment=self.environment), apt_lock.DPKG_LOCKS)
        if run.rc != 0:
            raise self.refusal(["(dpkg --configure -a)"], run)
        self.system.warn("an earlier dpkg run had been interrupted; `dpkg --configure -a` finished it first")

    def refusal(self, words, run):
        text = run.stderr + run.stdout
        missing = [next(name for name in found if name) for found in MISSING.findall(text)]
        details = {"rc": run.rc, "stdout": run.stdout, "stderr": run.stderr,
                   "stdout_lines": run.stdout.splitlines(), "stderr_lines": run.stderr.splitlines()}
        if missing:
            return ModuleFailure("No package matching '%s' is available" % missing[0], **details)
        reason = " ".join(line[3:] for line in run.stderr.splitlines() if line.startswith("E: "))
        unfinished = [] if self.system.check else dpkg.broken(self.system)
        if unfinished:
            details["broken_packages"] = unfinished
            reason += " (not configured or half installed: %s)" % ", ".join(unfinished)
        return ModuleFailure("'apt-get %s' failed: %s" % (" ".join(words), reason.strip() or run.stderr.strip()), **details)

    def _check_result(self, plan, run):
        after = dpkg.query(self.system, [action.name for action in plan.actions])
        wrong = []
        for action in plan.actions:
            found = after.get(action.name)
            version = found.version if found is not None and found.is_installed else None
            if (action.new and version != action.new) or (action.kind in ("remove", "purge") and version):
                wrong.append("%s: now %s" % (action, version or "not installed"))
        if wrong:
            raise ModuleFailure("apt-get ended without an error but did not do what it had announced: " + "; ".join(wrong),
                                rc=run.rc, stdout=run.stdout, stderr=run.stderr)
