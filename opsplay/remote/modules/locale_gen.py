"""Create or remove locales."""

import re

from opsplay.remote.spec import Choice, Listing, ModuleFailure, Spec

SPEC = Spec(args={"name": Listing(required=True), "state": Choice("absent", "present", default="present")},
            returns={"mechanism": "glibc or ubuntu_legacy."}, examples=["locale_gen: {name: de_DE.UTF-8}"])
FILE = "/etc/locale.gen"
SUPPORTED = "/usr/share/i18n/SUPPORTED"
LEGACY = "/var/lib/locales/supported.d/local"


def observe(system, args):
    installed = set(normalized(line) for line in system.run(["locale", "-a"]).stdout.splitlines())
    legacy = system.stat(FILE) is None and system.stat("/var/lib/locales/supported.d") is not None
    path = LEGACY if legacy else FILE
    content = system.read_text(path) if system.stat(path) is not None else ""
    if args.state == "present":
        _check_known(system, args, content)
    seen = {name: normalized(name) in installed for name in args.name}
    return dict(seen, **{"": (legacy, content)})


def normalized(name):
    """de_DE.UTF-8 and de_DE.utf8 are one."""
    base, dot, charset = name.strip().partition(".")
    charset, at, modifier = charset.partition("@")
    return base + dot + re.sub(r"[-_]", "", charset.lower()) + at + modifier


def _check_known(system, args, content):
    known = content + (system.read_text(SUPPORTED) if system.stat(SUPPORTED) is not None else "")
    missing = [name for name in args.name if not re.search(r"^#?\s*%s(\s|$)" % re.escape(name), known, re.M)]
    if missing:
        raise ModuleFailure("The following locales you have entered are not available on your system: %s"
                            % ", ".join(missing))


def desired(args, before):
    return {name: args.state == "present" for name in args.name}


def apply(system, args, change):
    legacy, content = change.before[""]
    names = [name for name in args.name if name in change]
    present = args.state == "present"
    for name in names:
        content = _edited(system, content, name, present, legacy)
    path = LEGACY if legacy else FILE
    system.write(path, content.encode(), mode=None if system.lstat(path) is not None else 0o644)
    if legacy and not present:
        system.run("rm -rf /usr/lib/locale/*")
    run = system.run(["locale-gen"])
    if run.rc != 0:
        raise ModuleFailure("locale-gen failed: %s" % (run.stderr or run.stdout).strip(), rc=run.rc)
    if not present:
        _forget(system, names)


def _forget(system, names):
    """locale-gen only adds to the archive; what is no longer wanted is taken out by name."""
    for name in names:
        system.run(["localedef", "--delete-from-archive", normalized(name)])


def _edited(system, content, name, present, legacy):
    pattern = re.compile(r"^#?\s*(%s(?:\s+\S+)?)\s*$" % re.escape(name), re.M)
    if pattern.search(content):
        if legacy and not present:
            return pattern.sub("", content)
        return pattern.sub(r"\1" if present else r"# \1", content)
    if not present:
        return content
    supported = re.search(r"^%s\s+(\S+)" % re.escape(name), system.read_text(SUPPORTED), re.M)
    line = "%s %s" % (name, supported.group(1) if supported else "UTF-8")
    return content.rstrip("\n") + ("\n" if content.strip() else "") + line + "\n"


def report(args, before, after):
    return {"name": list(args.name), "mechanism": "ubuntu_legacy" if before[""][0] else "glibc"}


def difference(args, before, after):
    return {"before": {name: before[name] for name in args.name}, "after": {name: after[name] for name in args.name}}
