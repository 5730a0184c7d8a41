"""Enable or disable a module of Apache by Debian's a2enmod and a2dismod."""

from opsplay.remote.spec import Choice, Flag, ModuleFailure, Spec, Text

SPEC = Spec(
    args={
        "name": Text(required=True, text="As a2enmod knows it."), "state": Choice("absent", "present", default="present"),
        "identifier": Text(text="What apache2ctl -M calls it; not needed here, a2query tells."),
        "force": Flag(default=False, text="Disable also what Debian calls essential."),
        "ignore_configcheck": Flag(default=False, text="A configuration that does not load is no obstacle; here it never is."),
        "warn_mpm_absent": Flag(default=True, text="Warn when the last module that serves requests is disabled."),
    },
    returns={"result": Text()},
    examples=("apache2_module: {name: rewrite}",),
)


def observe(system, args):
    if system.which("a2query") is None:
        raise ModuleFailure("a2query not found. Perhaps this system does not use a2query to manage apache")
    return {"enabled": system.run(["a2query", "-q", "-m", args.name]).rc == 0}


def desired(args, before):
    return {"enabled": args.state == "present"}


def apply(system, args, change):
    words = ["a2enmod"] if change.wanted["enabled"] else ["a2dismod"]
    run = system.run(words + (["-f"] if args.force else []) + [args.name])
    if run.rc != 0:
        raise ModuleFailure("Failed to set module %s to %s:\n%s" % (args.name, _word(change.wanted), run.stderr or run.stdout),
                            rc=run.rc, stdout=run.stdout, stderr=run.stderr)
    if args.warn_mpm_absent and args.name.startswith("mpm_") and not change.wanted["enabled"] and not system.run(["a2query", "-M"]).stdout.strip():
        system.warn("No MPM module loaded! apache2 reload AND other module actions will fail if no MPM module is loaded immediately.")
    return {}


def report(args, before, after):
    return {"result": "Module %s %s" % (args.name, _word(after)) if before != after else "Success"}


def _word(state):
    return "enabled" if state["enabled"] else "disabled"
