"""Set dpkg's selection of a package: install, hold, deinstall, purge."""

from opsplay.remote.spec import Choice, ModuleFailure, Spec, Text

SPEC = Spec(args={"name": Text(required=True), "selection": Choice("install", "hold", "deinstall", "purge", required=True)},
            returns={"before": "Old selection.", "after": "New selection."},
            examples=["dpkg_selections: {name: nginx, selection: hold}"])


def observe(system, args):
    run = system.run(["dpkg", "--get-selections", args.name])
    words = run.stdout.split()
    if len(words) < 2:
        raise ModuleFailure("Failed to find package '%s' to perform selection '%s'." % (args.name, args.selection))
    return {"selection": words[1]}


def desired(args, before):
    return {"selection": args.selection}


def apply(system, args, change):
    run = system.run(["dpkg", "--set-selections"], input="%s %s\n" % (args.name, args.selection))
    if run.rc != 0:
        raise ModuleFailure("dpkg --set-selections failed: %s" % run.stderr.strip(), rc=run.rc)


def report(args, before, after):
    return {"before": before["selection"], "after": args.selection}
