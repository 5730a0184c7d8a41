"""Install and remove packages by whatever package manager the host has."""

from opsplay.remote.facts import distribution
from opsplay.remote.modules import apk, apt, dnf, pacman, zypper
from opsplay.remote.spec import Args, Listing, ModuleFailure, Spec, Text

SPEC = Spec(
    args={"name": Listing(required=True, text="Packages, by the names of the host's distribution."),
          "state": Text(text="present, absent or latest; the package manager's own default otherwise."), "use": Text(default="auto")},
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
    every = Args((name, argument.default) for name, argument in module.SPEC.args.items())
    aliases = {alias: name for name, argument in module.SPEC.args.items() for alias in argument.aliases}
    for name, value in args.items():
        name = aliases.get(name, name)
        if name not in every and name != "use":
            raise ModuleFailure("Unsupported parameters for (%s) module: %s" % (manager, name))
        if name != "use" and value is not None:
            every[name] = value
    every["state"] = {"installed": "present", "removed": "absent"}.get(every["state"], every["state"])
    return module.act(system, every)
