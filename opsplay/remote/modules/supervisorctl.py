"""Start, stop and restart programs that supervisord runs, and tell it of new ones."""

from opsplay.remote.spec import Choice, Flag, Listing, ModuleFailure, Path, Spec, Text

SPEC = Spec(
    args={
        "name": Text(required=True, text="A program, a group with a colon at its end, or all."),
        "state": Choice("present", "started", "stopped", "restarted", "absent", "signalled", required=True),
        "stop_before_removing": Flag(default=False), "signal": Text(), "config": Path(), "server_url": Text(), "username": Text(),
        "password": Text(secret=True), "supervisorctl_path": Path(),
    },
    returns={"name": Text(), "state": Text(), "affected": Listing()},
    examples=("supervisorctl: {name: app, state: started}",),
    required_if=(("state", "signalled", ("signal",)),),
)
RUNNING = ("RUNNING", "STARTING")
ACTIONS = {"started": ("start", "started"), "stopped": ("stop", "stopped"), "restarted": ("restart", "started"), "signalled": ("signal", "signalled")}


def act(system, args):
    control = _Control(system, args)
    found = control.programs()
    if args.state == "present":
        return control.once(not found, [["reread"], ["add", args.name.rstrip(":")]], "added process group")
    if args.state == "absent":
        stop = [["stop", args.name]] if args.stop_before_removing and any(status in RUNNING for _, status in found) else []
        return control.once(bool(found), [["reread"]] + stop + [["remove", args.name.rstrip(":")]], "removed process group")
    if args.state == "restarted" and not system.check:
        control.ask("update")
        found = control.programs()
    if not found:
        raise ModuleFailure("ERROR (no such process)", name=args.name, state=args.state)
    names = [name for name, status in found if args.state == "restarted" or (status in RUNNING) is (args.state != "started")]
    return control.each(names)


class _Control(object):
    """supervisorctl with the options that a task names."""

    def __init__(self, system, args):
        self.system = system
        self.args = args
        path = args.supervisorctl_path or system.which("supervisorctl")
        if not path or system.stat(path) is None:
            raise ModuleFailure("Provided path to supervisorctl does not exist or isn't executable: %s" % path if path
                                else 'Failed to find required executable "supervisorctl" in paths: install supervisor on the host')
        self.words = [path]
        for option, value in (("-c", args.config), ("-s", args.server_url), ("-u", args.username), ("-p", args.password)):
            if value:
                self.words += [option, value]

    def ask(self, *words):
        return self.system.run(self.words + list(words))

    def programs(self):
        """[(name, status)] of those that the task's name means."""
        run = self.ask("status")
        if "refused connection" in run.stdout or "no such file" in run.stdout or "Unauthorized" in run.stdout:
            raise ModuleFailure(run.stdout.strip(), name=self.args.name, rc=run.rc, stdout=run.stdout, stderr=run.stderr)
        lines = [line.split() for line in run.stdout.splitlines()]
        return [(words[0], words[1]) for words in lines if len(words) > 1 and self._is_meant(words[0])]

    def _is_meant(self, name):
        wanted = self.args.name
        if wanted in ("all", name):
            return True
        group = name.partition(":")[0]
        return group == wanted.rstrip(":") and (wanted.endswith(":") or ":" in name) if wanted.endswith(":") else group == wanted and group == name.partition(":")[2]

    def once(self, due, commands, expected):
        if due and not self.system.check:
            for words in commands:
                run = self.ask(*words)
            if expected not in run.stdout:
                raise ModuleFailure(run.stdout.strip() or run.stderr.strip(), name=self.args.name, state=self.args.state, rc=run.rc, stdout=run.stdout)
        return self._result([self.args.name] if due else [])

    def each(self, names):
        word, expected = ACTIONS[self.args.state]
        for name in () if self.system.check else names:
            run = self.ask(*([word, self.args.signal, name] if word == "signal" else [word, name]))
            if "%s: %s" % (name, expected) not in run.stdout:
                raise ModuleFailure(run.stdout.strip() or run.stderr.strip(), name=self.args.name, state=self.args.state, rc=run.rc, stdout=run.stdout)
        return self._result(names)

    def _result(self, names):
        result = {"changed": bool(names), "name": self.args.name, "state": self.args.state, "affected": names}
        if self.system.diff and names:
            result["diff"] = {"before": "", "after": "".join("%s %s\n" % (name, self.args.state) for name in names)}
        return result
