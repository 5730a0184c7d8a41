"""Manage Linux capabilities of files."""

import re

from opsplay.remote.spec import Choice, ModuleFailure, Path, Spec, Text

SPEC = Spec(args={"path": Path(required=True, aliases=("key",)),
                  "capability": Text(required=True, aliases=("cap",), text="As cap_net_bind_service+ep."),
                  "state": Choice("absent", "present", default="present")},
            returns={"msg": "What getcap says."}, examples=["capabilities: {path: /usr/bin/ping, capability: cap_net_raw+ep}"])


def observe(system, args):
    if system.stat(args.path) is None:
        raise ModuleFailure("%s does not exist" % args.path)
    return {"capabilities": _read(system, args.path)}


def _read(system, path):
    """{cap_name: "ep"}: `path cap_a,cap_b=ep cap_c=e` (older: `path = cap_a+ep`)."""
    line = system.run(["getcap", path]).stdout.strip()
    text = line[len(path):].strip().lstrip("=").strip() if line.startswith(path) else ""
    held = {}
    for word in text.split():
        names, _, flags = re.sub(r"[+]", "=", word, count=1).partition("=")
        for name in names.split(","):
            held[name] = "".join(sorted(flags))
    return held


def _parse(text):
    found = re.match(r"^(cap_\w+)([=+-])([eip]*)$", text.strip().lower())
    if not found:
        if re.match(r"^cap_\w+$", text.strip().lower()):
            return text.strip().lower(), None, None
        raise ModuleFailure("Couldn't find operator (one of: ('=', '-', '+'))")
    return found.groups()


def desired(args, before):
    name, operator, flags = _parse(args.capability)
    held = dict(before["capabilities"])
    if args.state == "absent":
        held.pop(name, None)
        return {"capabilities": held}
    if operator is None:
        raise ModuleFailure("Couldn't find operator (one of: ('=', '-', '+'))")
    old = held.get(name, "")
    new = {"=": set(flags), "+": set(old) | set(flags), "-": set(old) - set(flags)}[operator]
    held[name] = "".join(sorted(new))
    return {"capabilities": {key: value for key, value in held.items() if value}}


def apply(system, args, change):
    held = change.wanted["capabilities"]
    if held:
        text = " ".join("%s=%s" % (name, flags) for name, flags in sorted(held.items()))
        run = system.run(["setcap", text, args.path])
    else:
        run = system.run(["setcap", "-r", args.path])
    if run.rc != 0:
        raise ModuleFailure("Unable to set capabilities of %s: %s" % (args.path, run.stderr.strip()), stdout=run.stdout,
                            stderr=run.stderr)


def report(args, before, after):
    return {"state": args.state, "msg": "capabilities of %s: %s" % (args.path, " ".join(
        "%s=%s" % pair for pair in sorted(after["capabilities"].items())) or "none")}
