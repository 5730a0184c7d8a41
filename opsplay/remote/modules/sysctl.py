"""Keep kernel settings in a sysctl file and, when asked, in the running kernel."""

import re

from opsplay.remote.spec import Choice, Flag, ModuleFailure, Path, Spec, Text

SPEC = Spec(
    args={"name": Text(required=True, aliases=("key",)), "value": Text(aliases=("val",)),
          "state": Choice("present", "absent", default="present"), "ignoreerrors": Flag(default=False),
          "reload": Flag(default=True, text="Run sysctl -p on the file after a change."),
          "sysctl_file": Path(default="/etc/sysctl.conf"),
          "sysctl_set": Flag(default=False, text="Set and check the value in the running kernel too.")},
    required_if=(("state", "present", ("value",)),),
    returns={}, examples=["sysctl: {name: vm.swappiness, value: '10'}"],
)
MOMENTARY = ("live",)


def observe(system, args):
    if args.state == "present" and not (args.value or "").strip():
        raise ModuleFailure("value cannot be blank" if args.value is not None else "value cannot be None")
    seen = {"content": system.read_text(args.sysctl_file) if system.stat(args.sysctl_file) is not None else ""}
    if args.sysctl_set:
        seen["live"] = _live(system, args)
    return seen


def _live(system, args):
    """The kernel's own value, blanks made one; None where there is no such setting."""
    swapped = args.name.translate({ord("."): "/", ord("/"): "."}) if "/" not in args.name.split(".")[0] else args.name
    try:
        return " ".join(system.read_text("/proc/sys/" + swapped).split())
    except OSError:
        return None


def _value(args):
    text = str(args.value).strip()
    if text.lower() in ("yes", "true", "on", "no", "false", "off"):
        return "1" if text.lower() in ("yes", "true", "on") else "0"
    return text


def desired(args, before):
    wanted = {}
    edited = _edit(args, before["content"])
    if edited != before["content"]:
        wanted["content"] = edited
    if args.sysctl_set and args.state == "present":
        wanted["live"] = " ".join(_value(args).split())
    return wanted


def _edit(args, text):
    """The last setting of a name counts; so there is one line of it afterwards, where the first was."""
    lines, found = [], False
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if line.lstrip().startswith(("#", ";")) or not equals or key.strip().lstrip("-") != args.name:
            lines.append(line)
        elif args.state == "present" and not found:
            found = True
            same = " ".join(value.split()) == " ".join(_value(args).split())
            lines.append(line if same else "%s=%s" % (args.name, _value(args)))
    if args.state == "present" and not found:
        lines.append("%s=%s" % (args.name, _value(args)))
    edited = "\n".join(lines) + ("\n" if lines else "")
    return text if edited.rstrip("\n") == text.rstrip("\n") else edited


def apply(system, args, change):
    if "content" in change:
        system.write(args.sysctl_file, change.wanted["content"].encode("utf-8", "surrogateescape"),
                     mode=None if system.lstat(args.sysctl_file) is not None else 0o644)
    ignore = ["-e"] if args.ignoreerrors else []
    if "live" in change:
        _sysctl(system, args, ignore + ["-w", "%s=%s" % (args.name, _value(args))])
    if "content" in change and args.reload:
        _sysctl(system, args, ignore + ["-p", args.sysctl_file])


def _sysctl(system, args, words):
    run = system.run(["sysctl"] + words)
    trouble = run.rc != 0 or re.search(r"(Invalid argument|Read-only file system|permission denied)", run.stderr, re.I)
    if trouble and not args.ignoreerrors:
        raise ModuleFailure("sysctl %s failed: %s" % (" ".join(words), (run.stderr or run.stdout).strip()),
                            rc=run.rc, stdout=run.stdout, stderr=run.stderr, changed=True)


def difference(args, before, after):
    return {"before": before["content"], "after": after["content"], "before_header": args.sysctl_file,
            "after_header": args.sysctl_file}
