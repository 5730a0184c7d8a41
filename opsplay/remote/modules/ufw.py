"""Manage the firewall with UFW."""

import re

from opsplay.remote.spec import Choice, Flag, Integer, ModuleFailure, Spec, Text

SPEC = Spec(
    args={"state": Choice("disabled", "enabled", "reloaded", "reset"),
          "default": Choice("allow", "deny", "reject", aliases=("policy",)),
          "direction": Choice("in", "incoming", "out", "outgoing", "routed"),
          "logging": Choice("full", "high", "low", "medium", "off", "on"),
          "insert": Integer(), "insert_relative_to": Choice("first-ipv4", "first-ipv6", "last-ipv4", "last-ipv6", "zero",
                                                            default="zero"),
          "rule": Choice("allow", "deny", "limit", "reject"), "log": Flag(default=False),
          "from_ip": Text(default="any", aliases=("from", "src")), "from_port": Text(),
          "to_ip": Text(default="any", aliases=("dest", "to")), "to_port": Text(aliases=("port",)),
          "proto": Choice("any", "tcp", "udp", "ipv6", "esp", "ah", "gre", "igmp", "vrrp", aliases=("protocol",)),
          "name": Text(aliases=("app",)), "delete": Flag(default=False), "interface": Text(aliases=("if",)),
          "interface_in": Text(aliases=("if_in",)), "interface_out": Text(aliases=("if_out",)),
          "route": Flag(default=False), "comment": Text()},
    one_of=(("state", "default", "rule", "logging"),), exclusive=(("name", "proto", "logging"),),
    required_by={"interface": ("direction",)},
    returns={"commands": "What was run.", "msg": "ufw's status afterwards."},
    examples=["ufw: {state: enabled, policy: deny}", "ufw: {rule: allow, port: '22', proto: tcp}"],
)
RULES = ("/etc/ufw/user.rules", "/etc/ufw/user6.rules", "/lib/ufw/user.rules", "/lib/ufw/user6.rules")


def act(system, args):
    if not system.which("ufw"):
        raise ModuleFailure('Failed to find required executable "ufw"')
    status, rules = _status(system), _rules(system)
    commands, changed = [], False
    for command, differs in _wanted(system, args, status):
        argv = ["ufw"] + (["--dry-run"] if system.check else []) + command
        changed = changed or differs is True
        if differs is False:
            continue
        commands.append(" ".join(argv))
        run = system.run(argv)
        if run.rc != 0:
            raise ModuleFailure((run.stderr or run.stdout).strip(), commands=commands, rc=run.rc)
        if differs is None and system.check:
            changed = changed or not _is_skipped(run.stdout)
    after = status if system.check else _status(system)
    if not system.check:
        changed = changed or after != status or _rules(system) != rules
    result = {"changed": changed, "commands": commands, "msg": after.rstrip()}
    if system.diff and changed:
        result["diff"] = {"before": status, "after": after}
    return result


def _status(system):
    run = system.run(["ufw", "status", "verbose"])
    if run.rc != 0:
        raise ModuleFailure("ufw status failed: %s" % (run.stderr or run.stdout).strip(), rc=run.rc)
    return run.stdout


def _rules(system):
    """The rules as they are kept, also while the firewall is off."""
    return "".join(line + "\n" for path in RULES if system.stat(path) is not None
                   for line in system.read_text(path).splitlines() if line.startswith("### tuple"))


def _is_skipped(text):
    """What ufw says when a rule is there already, or is not there to delete."""
    return bool(re.search(r"^(Skipping|Could not delete non-existent rule)", text, re.M))


def _wanted(system, args, status):
    """(words for ufw, True or False where it is known whether that changes anything, None where ufw decides)"""
    active = "Status: active" in status
    if args.state == "enabled":
        yield ["-f", "enable"], not active
    elif args.state == "disabled":
        yield ["-f", "disable"], active
    elif args.state == "reloaded":
        yield ["-f", "reload"], True
    elif args.state == "reset":
        yield ["-f", "reset"], True
    if args.logging:
        yield ["logging", args.logging], _logging_differs(args.logging, status)
    if args.default:
        direction = {"in": "incoming", "out": "outgoing", None: "incoming"}.get(args.direction, args.direction)
        yield ["default", args.default, direction], _policy(system, status, active, direction) != args.default
    if args.rule:
        yield _rule(system, args), None


def _logging_differs(wanted, status):
    found = re.search(r"^Logging: (\w+)(?: \((\w+)\))?", status, re.M)
    if not found:
        return True
    if wanted in ("on", "off"):
        return found.group(1) != wanted
    return found.group(2) != wanted


def _policy(system, status, active, direction):
    found = re.search(r"(\w+) \(%s\)" % direction, status) if active else None
    if found:
        return found.group(1)
    name = {"incoming": "INPUT", "outgoing": "OUTPUT", "routed": "FORWARD"}[direction]
    text = system.read_text("/etc/default/ufw") if system.stat("/etc/default/ufw") is not None else ""
    found = re.search(r'^DEFAULT_%s_POLICY="?(\w+)' % name, text, re.M)
    return {"ACCEPT": "allow", "DROP": "deny", "REJECT": "reject"}.get(found.group(1)) if found else None


def _rule(system, args):
    words = (["route"] if args.route else []) + (["delete"] if args.delete else [])
    if args.insert is not None and not args.delete:
        words += ["insert", str(_position(system, args))]
    words.append(args.rule)
    if args.direction:
        words.append({"incoming": "in", "outgoing": "out"}.get(args.direction, args.direction))
        if args.interface:
            words += ["on", args.interface]
    for direction, name in (("in", args.interface_in), ("out", args.interface_out)):
        if name:
            words += [direction, "on", name]
    words += ["log"] if args.log else []
    for word, value in (("from", args.from_ip), ("port", args.from_port), ("to", args.to_ip), ("port", args.to_port),
                        ("proto", args.proto), ("app", args.name), ("comment", args.comment)):
        if value:
            words += [word, str(value)]
    return words


def _position(system, args):
    """insert counts from zero, or from the first or last rule of a kind."""
    if args.insert_relative_to == "zero":
        return args.insert
    rows = re.findall(r"^\[ *(\d+)\] (.*)$", system.run(["ufw", "status", "numbered"]).stdout, re.M)
    six = [int(number) for number, text in rows if "(v6)" in text or "::" in text]
    four = [int(number) for number, text in rows if int(number) not in six]
    end = len(rows)
    base = {"first-ipv4": 1, "last-ipv4": max(len(four), 1), "first-ipv6": min(six) if six else len(four) + 1,
            "last-ipv6": end if six else len(four) + 1}[args.insert_relative_to]
    position = base + args.insert
    return 0 if position > end else position
