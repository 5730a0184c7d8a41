"""Manage rules, chains and policies of iptables."""

from opsplay.remote.spec import Choice, Dictionary, Flag, Listing, ModuleFailure, Spec, Text

LEVELS = tuple(str(level) for level in range(8)) + ("emerg", "alert", "crit", "error", "warning", "notice", "info", "debug")
SPEC = Spec(
    args={"table": Choice("filter", "nat", "mangle", "raw", "security", default="filter"),
          "state": Choice("absent", "present", default="present"), "action": Choice("append", "insert", default="append"),
          "ip_version": Choice("ipv4", "ipv6", "both", default="ipv4"), "chain": Text(), "rule_num": Text(),
          "protocol": Text(), "source": Text(), "destination": Text(), "tcp_flags": Dictionary(fields={"flags": Listing(), "flags_set": Listing()}),
          "match": Listing(default=[]), "jump": Text(), "gateway": Text(), "log_prefix": Text(), "log_level": Choice(*LEVELS),
          "goto": Text(), "in_interface": Text(), "out_interface": Text(), "fragment": Text(), "set_counters": Text(),
          "source_port": Text(), "destination_port": Text(), "destination_ports": Listing(default=[]),
          "to_ports": Text(), "to_destination": Text(), "to_source": Text(), "syn": Choice("ignore", "match", "negate",
                                                                                          default="ignore"),
          "set_dscp_mark": Text(), "set_dscp_mark_class": Text(), "comment": Text(), "ctstate": Listing(default=[]),
          "src_range": Text(), "dst_range": Text(), "match_set": Text(),
          "match_set_flags": Choice("src", "dst", "src,dst", "dst,src", "src,src", "dst,dst"), "limit": Text(),
          "limit_burst": Text(), "uid_owner": Text(), "gid_owner": Text(),
          "reject_with": Text(), "icmp_type": Text(), "flush": Flag(default=False),
          "policy": Choice("ACCEPT", "DROP", "QUEUE", "RETURN"), "wait": Text(), "chain_management": Flag(default=False),
          "numeric": Flag(default=False)},
    returns={"rule": "The rule's words.", "chain": "Chain.", "table": "Table."},
    exclusive=(("set_dscp_mark", "set_dscp_mark_class"), ("flush", "policy")),
    required_by={"set_dscp_mark": ("jump",), "set_dscp_mark_class": ("jump",)},
    required_if=(("jump", "TEE", ("gateway",)), ("jump", "tee", ("gateway",))),
    examples=["iptables: {chain: INPUT, protocol: tcp, destination_port: '22', jump: ACCEPT}"],
)
PLAIN = (("protocol", "-p"), ("source", "-s"), ("destination", "-d"))


def act(system, args):
    if not args.chain and not args.flush:
        raise ModuleFailure("Either chain or flush parameter must be specified.")
    rule = words_of(args)
    result = {"changed": False, "ip_version": args.ip_version, "table": args.table, "chain": args.chain,
              "flush": args.flush, "rule": " ".join(rule), "state": args.state}
    for program in {"ipv4": ["iptables"], "ipv6": ["ip6tables"], "both": ["iptables", "ip6tables"]}[args.ip_version]:
        base = [program, "-t", args.table] + (["-w", args.wait] if args.wait else ["-w"])
        result["changed"] = _one(system, args, base, rule) or result["changed"]
    if system.diff and result["changed"]:
        what = "flush" if args.flush else "policy %s" % args.policy if args.policy else " ".join(rule) or "chain"
        line = "%s %s: %s\n" % (args.table, args.chain or "(all chains)", what)
        there = args.state == "present" and not args.flush
        result["diff"] = {"before": "" if there else line, "after": line if there else ""}
    return result


def _one(system, args, base, rule):
    if args.flush:
        return _change(system, base + ["-F"] + ([args.chain] if args.chain else []), True)
    if args.policy:
        return _policy(system, args, base)
    if args.chain_management and not rule:
        return _chain(system, args, base)
    if args.chain_management and args.state == "present" and not _has_chain(system, args, base):
        _change(system, base + ["-N", args.chain], True)
        if system.check:
            return True
    present = system.run(base + ["-C", args.chain] + rule).rc == 0
    if present == (args.state == "present"):
        return False
    if args.state == "absent":
        return _change(system, base + ["-D", args.chain] + rule, True)
    verb = ["-I", args.chain] + ([str(args.rule_num)] if args.rule_num else []) if args.action == "insert" else [
        "-A", args.chain]
    return _change(system, base + verb + rule, True)


def _change(system, argv, changed):
    if not system.check:
        run = system.run(argv)
        if run.rc != 0:
            raise ModuleFailure("%s failed: %s" % (" ".join(argv), run.stderr.strip()), rc=run.rc)
    return changed


def _policy(system, args, base):
    for line in system.run(base + ["-S", args.chain]).stdout.splitlines():
        words = line.split()
        if words[:2] == ["-P", args.chain]:
            return _change(system, base + ["-P", args.chain, args.policy], True) if words[2] != args.policy else False
    raise ModuleFailure("Can't detect current policy of %s: only built-in chains have one" % args.chain)


def _has_chain(system, args, base):
    return system.run(base + ["-S", args.chain]).rc == 0


def _chain(system, args, base):
    there = _has_chain(system, args, base)
    if there == (args.state == "present"):
        return False
    return _change(system, base + ["-N" if args.state == "present" else "-X", args.chain], True)


def _negated(flag, value):
    return ["!", flag, value[1:].strip()] if value.startswith("!") else [flag, value]


def words_of(args):
    """The rule as words for iptables, in the order that iptables wants them."""
    words = []
    for name, flag in PLAIN:
        if args[name]:
            words += _negated(flag, args[name])
    for name in args.match or ():
        words += ["-m", name]
    if args.tcp_flags:
        words += ["-p", "tcp"] if not args.protocol else []
        words += ["--tcp-flags", ",".join(args.tcp_flags["flags"]), ",".join(args.tcp_flags["flags_set"])]
    for name, flag in (("jump", "-j"), ("gateway", "--gateway"), ("log_prefix", "--log-prefix"),
                       ("log_level", "--log-level"), ("to_destination", "--to-destination"), ("to_source", "--to-source"),
                       ("goto", "-g"), ("in_interface", "-i"), ("out_interface", "-o"), ("fragment", "-f"),
                       ("set_counters", "-c"), ("source_port", "--source-port"),
                       ("destination_port", "--destination-port")):
        if args[name]:
            words += _negated(flag, args[name])
    return words + _matches(args) + _targets(args)


def _module(args, name):
    return [] if name in (args.match or ()) else ["-m", name]


def _matches(args):
    words = []
    if args.destination_ports:
        words += _module(args, "multiport") + ["--dports", ",".join(args.destination_ports)]
    if args.to_ports:
        words += ["--to-ports", args.to_ports]
    if args.syn != "ignore":
        words += ["--syn"] if args.syn == "match" else ["!", "--syn"]
    if args.match_set:
        words += _module(args, "set") + _negated("--match-set", args.match_set) + [args.match_set_flags or "src"]
    if args.comment:
        words += _module(args, "comment") + ["--comment", args.comment]
    if args.ctstate:
        name, flag = ("state", "--state") if "state" in (args.match or ()) else ("conntrack", "--ctstate")
        words += _module(args, name) + [flag, ",".join(args.ctstate)]
    for name, flag in (("src_range", "--src-range"), ("dst_range", "--dst-range")):
        if args[name]:
            words += _module(args, "iprange") + _negated(flag, args[name])
    if args.limit or args.limit_burst:
        words += _module(args, "limit")
    for name, flag in (("limit", "--limit"), ("limit_burst", "--limit-burst")):
        if args[name]:
            words += [flag, args[name]]
    for name, flag in (("uid_owner", "--uid-owner"), ("gid_owner", "--gid-owner")):
        if args[name]:
            words += _module(args, "owner") + _negated(flag, args[name])
    return words


def _targets(args):
    words = []
    if args.set_dscp_mark or args.set_dscp_mark_class:
        words += [] if args.jump else ["-j", "DSCP"]
        words += ["--set-dscp", args.set_dscp_mark] if args.set_dscp_mark else ["--set-dscp-class", args.set_dscp_mark_class]
    if args.reject_with:
        words += ([] if args.jump else ["-j", "REJECT"]) + ["--reject-with", args.reject_with]
    if args.icmp_type:
        words += [{"ipv6-icmp": "--icmpv6-type", "icmpv6": "--icmpv6-type"}.get(args.protocol, "--icmp-type"), args.icmp_type]
    return words
