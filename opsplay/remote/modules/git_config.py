"""Ask, set or unset an option of git's configuration."""

from opsplay.remote.spec import Choice, Dictionary, Flag, ModuleFailure, Path, Spec, Text

SPEC = Spec(
    args={
        "name": Text(text="The option, as section.key."), "value": Text(text="What it is to be."),
        "scope": Choice("file", "local", "global", "system", text="Which configuration; local needs repo, file needs file."),
        "repo": Path(text="A repository, for scope local."), "file": Path(text="A file, for scope file."),
        "state": Choice("present", "absent", default="present"),
        "add_mode": Choice("add", "replace-all", default="replace-all", text="add: besides the values that it has."),
        "list_all": Flag(default=False, text="Tell every option of the scope."),
    },
    returns={"config_value": Text(), "config_values": Dictionary(), "msg": Text()},
    examples=("git_config: {name: user.email, value: me@example.org, scope: global}",),
    required_if=(("scope", "local", ("repo",)), ("scope", "file", ("file",))),
    one_of=(("list_all", "name"),),
)


def act(system, args):
    if system.which("git") is None:
        raise ModuleFailure('Failed to find required executable "git" in paths: install git on the host')
    git = _Git(system, args)
    if args.list_all:
        return {"changed": False, "config_values": git.all()}
    values = git.values()
    if args.state == "absent":
        git.change(bool(values), ["--unset-all", args.name])
        return _done(system, args, values, [])
    if args.value is None:
        return {"changed": False, "config_value": values[0] if values else "", "msg": ""}
    wanted = values + [args.value] if args.add_mode == "add" else [args.value]
    due = args.value not in values if args.add_mode == "add" else values != wanted
    git.change(due, ["--" + args.add_mode, args.name, args.value])
    return _done(system, args, values, wanted if due else values)


def _done(system, args, before, after):
    result = {"changed": before != after, "msg": "setting changed" if before != after else ""}
    if system.diff and before != after:
        old, new = ("\n".join(values) + "\n" if values else "" for values in (before, after))
        result["diff"] = {"before_header": _header(args), "before": old, "after_header": _header(args), "after": new}
    return result


def _header(args):
    return "%s %s" % (args.scope or "git", args.name)


class _Git(object):
    """git config in the scope of a task."""

    def __init__(self, system, args):
        self.system = system
        self.args = args
        self.words = ["git", "config", "--includes"] + (["--file", args.file] if args.scope == "file" else ["--" + args.scope] if args.scope else [])
        self.folder = args.repo if args.scope == "local" else "/"
        if args.scope is None and args.value is not None:
            self.words.append("--system")

    def _run(self, words):
        return self.system.run(self.words + words, cwd=self.folder)

    def all(self):
        run = self._run(["--null", "--list"])
        self._require(run, (0,))
        pairs = [entry.partition("\n") for entry in run.stdout.split("\0") if entry]
        return {name: value for name, _, value in pairs}

    def values(self):
        run = self._run(["--null", "--get-all", self.args.name])
        if "does not contain a section" in run.stderr:
            raise ModuleFailure(run.stderr.strip(), rc=run.rc, stdout=run.stdout, stderr=run.stderr)
        self._require(run, (0, 1))
        return run.stdout.split("\0")[:-1] if run.rc == 0 else []

    def change(self, due, words):
        if due and not self.system.check:
            self._require(self._run(words), (0,))

    def _require(self, run, fine):
        if run.rc not in fine and "unable to read config file" not in run.stderr:
            raise ModuleFailure(run.stderr.strip() or "git config failed", rc=run.rc, stdout=run.stdout, stderr=run.stderr)
