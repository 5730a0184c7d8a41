"""The host's half of package: the module of the package manager that the host has."""

from opsplay.remote.facts import distribution
from opsplay.remote.modules import apk, apt, dnf, pacman, zypper
from opsplay.remote.spec import Args, Listing, ModuleFailure, Spec, Text

SPEC = Spec(
    args={"name": Listing(text="Packages, by the names of the host's distribution; the package manager's own spellings (pkg) will do, too."),
          "state": Text(text="present, absent or latest; the package manager's own default otherwise."), "use": Text(default="auto", text="The package manager's module; the variable ansible_package_use says it for many tasks.")},
    returns={}, examples=["package: {name: ntpdate, state: present}"], open_ended=True,
)
MANAGERS = {"apt": apt, "dnf": dnf, "dnf5": dnf, "yum": dnf, "apk": apk, "zypper": zypper, "pacman": pacman}


def act(system, args):
    manager = args.use if args.use and args.use != "auto" else None
    if manager is None:
        manager = distribution.package_manager(system, distribution.collect(system)["os_family"])
    module = MANAGERS.get(manager.rsplit(".", 1)[-1])
    if module is None:
        raise ModuleFailure("Could not find a matching action for the \"%s\" package manager." % manager)
    every = arguments_of(module.SPEC, manager, args)
    every["state"] = {"installed": "present", "removed": "absent"}.get(every["state"], every["state"])
    return module.act(system, every)


def arguments_of(spec, manager, args):
    """What was given, under the package manager's own names and types, with its defaults for the rest."""
    every = Args((name, argument.default) for name, argument in spec.args.items())
    aliases = {alias: name for name, argument in spec.args.items() for alias in argument.aliases}
    given = {aliases.get(name, name): value for name, value in args.items() if name != "use" and value is not None}
    for name, value in given.items():
        if name not in every:
            raise ModuleFailure("Unsupported parameters for (%s) module: %s" % (manager, name))
        every[name] = typed(spec.args[name].kind, value)
    if not any(name in given for name in given if name != "state"):
        raise ModuleFailure("missing required arguments: name")
    return every


def typed(kind, value):
    """Texts (`update_cache=yes`) as what the package manager's module takes; the rest as it is."""
    if kind == "list" and not isinstance(value, (list, tuple)):
        return [part.strip() for part in str(value).split(",")]
    if kind == "bool" and not isinstance(value, bool):
        return str(value).strip().lower() in ("yes", "on", "1", "true", "t", "y")
    if kind == "int" and isinstance(value, str) and value.strip().lstrip("-").isdigit():
        return int(value)
    return value
