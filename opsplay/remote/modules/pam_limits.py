"""Keep limits of users in /etc/security/limits.conf."""

import os
import re

from opsplay.remote.spec import Choice, Flag, ModuleFailure, Path, Spec, Text

ITEMS = ("core", "data", "fsize", "memlock", "nofile", "rss", "stack", "cpu", "nproc", "as", "maxlogins", "maxsyslogins",
         "priority", "locks", "sigpending", "msgqueue", "nice", "rtprio", "chroot")
SPEC = Spec(args={"domain": Text(required=True), "limit_type": Choice("hard", "soft", "-", required=True),
                  "limit_item": Choice(*ITEMS, required=True), "value": Text(required=True),
                  "use_max": Flag(default=False), "use_min": Flag(default=False), "backup": Flag(default=False),
                  "dest": Path(default="/etc/security/limits.conf"), "comment": Text(default="")},
            exclusive=(("use_max", "use_min"),), returns={"msg": "The line.", "backup": "Copy of the old file."},
            examples=["pam_limits: {domain: postgres, limit_type: soft, limit_item: nofile, value: '65536'}"])
ENDLESS = ("unlimited", "infinity", "-1")


def observe(system, args):
    if args.value not in ENDLESS and not re.match(r"^[+-]?\d+$", args.value):
        raise ModuleFailure("Argument 'value' must be an integer, 'unlimited', 'infinity' or '-1'. Refer to manual pages "
                            "for more details.")
    if system.stat(args.dest) is None and not system.stat(os.path.dirname(args.dest)):
        raise ModuleFailure("directory %s is not there" % os.path.dirname(args.dest))
    return {"content": system.read_text(args.dest) if system.stat(args.dest) is not None else ""}


def _line(args, value):
    return "%s\t%s\t%s\t%s%s\n" % (args.domain, args.limit_type, args.limit_item, value,
                                   "\t#" + args.comment if args.comment else "")


def _number(text):
    return float("inf") if text in ENDLESS else int(text)


def _value(args, old):
    if args.use_max:
        return max(args.value, old, key=_number)
    return min(args.value, old, key=_number) if args.use_min else args.value


def desired(args, before):
    lines, found = [], False
    for line in before["content"].splitlines(True):
        words = line.partition("#")[0].split()
        if len(words) == 4 and tuple(words[:3]) == (args.domain, args.limit_type, args.limit_item):
            value = _value(args, words[3])
            if not found:
                lines.append(line if value == words[3] else _line(args, value))
            found = True
        else:
            lines.append(line)
    if not found:
        at = next((index for index, line in enumerate(lines) if line.strip().lower() == "# end of file"), len(lines))
        if lines and at == len(lines) and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        lines.insert(at, _line(args, args.value))
    return {"content": "".join(lines)}


def apply(system, args, change):
    result = {"backup": system.backup(args.dest)} if args.backup and change.before["content"] else {}
    system.write(args.dest, change.wanted["content"].encode("utf-8", "surrogateescape"), links="follow",
                 mode=None if system.stat(args.dest) is not None else 0o644)
    return result


def report(args, before, after):
    return {"msg": _line(args, args.value).strip()}


def difference(args, before, after):
    return {"before": before["content"], "after": after["content"], "before_header": args.dest, "after_header": args.dest}
