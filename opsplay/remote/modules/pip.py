"""Keep Python packages installed, in a virtual environment or for the system."""


from opsplay.remote.pip_packages import Pip, Requirement, canonical, joined
from opsplay.remote.spec import Args, Choice, Flag, Listing, ModuleFailure, Path, Spec, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

    from opsplay.remote.system import System

SPEC = Spec(
    args={
        "name": Listing(elements=Text(), text="Packages, each with a version specifier where wanted, or URLs."),
        "version": Text(text="The version of a single package."),
        "requirements": Path(text="A requirements file of the host."),
        "state": Choice("absent", "forcereinstall", "latest", "present", default="present", text="What is to be."),
        "virtualenv": Path(text="Folder of the virtual environment; made where it is missing."),
        "virtualenv_command": Path(default="virtualenv", text="What makes it; python -m venv is used where this is missing."),
        "virtualenv_python": Text(text="The Python of a new environment."),
        "virtualenv_site_packages": Flag(default=False, text="A new environment sees the system's packages."),
        "extra_args": Text(text="Further arguments for pip."),
        "editable": Flag(default=False, text="Install in editable mode."),
        "chdir": Path(text="Folder to run pip in."),
        "executable": Path(text="The pip program; exclusive with virtualenv."),
        "umask": Text(text="umask for the installation."),
        "break_system_packages": Flag(default=False, text="Install where the system's packages are managed by others."),
    },
    returns={"cmd": Listing(), "name": Listing(), "requirements": Text(), "version": Text(), "virtualenv": Text(),
             "stdout": Text(), "stderr": Text()},
    examples=("pip: {name: flask, virtualenv: /srv/app/venv}",),
    one_of=(("name", "requirements"),), exclusive=(("name", "requirements"), ("executable", "virtualenv")),
)


def act(system: "System", args: "Args") -> "Dict[str, Any]":
    if args.state == "latest" and args.version is not None:
        raise ModuleFailure("version is incompatible with state=latest")
    args = Args(args, name=joined(args.name))
    pip = Pip(system, args)
    result = {"name": args.name, "version": args.version, "state": args.state, "requirements": args.requirements,
              "virtualenv": args.virtualenv, "cmd": [], "stdout": "", "stderr": ""}  # type: Dict[str, Any]
    made = pip.prepare()
    before = pip.installed() if not (made and system.check) else {}
    wanted = [Requirement(text, args.version) for text in args.name or ()]
    needed = made or _needed(args, pip, wanted, before)
    if not needed:
        return dict(result, changed=False)
    if system.check:
        return _with_diff(system, dict(result, changed=True), before, wanted, args)
    run = pip.uninstall([one.name for one in wanted]) if args.state == "absent" else pip.install(wanted)
    after = pip.installed()
    result.update(cmd=pip.ran or pip.command, stdout=run.stdout if run else "", stderr=run.stderr if run else "")
    installed = run is not None and "Successfully installed" in run.stdout  # a path of the same version is installed anew
    result["changed"] = made or before != after or installed or args.state == "forcereinstall"
    missing = [one.text for one in wanted if args.state != "absent" and one.named and not one.held_by(after)]
    if missing:
        raise ModuleFailure("the change did not take: pip did not install %s" % ", ".join(missing), **result)
    return _with_diff(system, result, before, wanted, args)


def _needed(args: "Args", pip: "Pip", wanted: "List[Requirement]", before: "Dict[str, str]") -> "bool":
    if args.state == "forcereinstall":
        return True
    if args.state == "absent":
        return any(canonical(one.name) in before for one in wanted)
    if args.requirements or args.state == "latest" or args.editable:
        return pip.would_install(wanted)
    return not all(one.held_by(before) for one in wanted)


def _with_diff(system: "System", result: "Dict[str, Any]", before: "Dict[str, str]", wanted: "List[Requirement]",
               args: "Args") -> "Dict[str, Any]":
    """By the names that were asked for: what else pip brings along is known only afterwards."""
    if system.diff and result["changed"]:
        lines = ["%s==%s\n" % (canonical(one.name), before[canonical(one.name)]) for one in wanted
                 if canonical(one.name) in before]
        asked = ["%s\n" % one.text for one in wanted] if args.state != "absent" else []
        result["diff"] = {"before": "".join(lines), "after": "".join(asked) or ("%s\n" % (args.requirements or ""))}
    return result
