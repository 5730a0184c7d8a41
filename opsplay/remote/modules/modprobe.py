"""Load or unload kernel modules, now and at boot."""

import re

from opsplay.remote.spec import Choice, ModuleFailure, Spec, Text

SPEC = Spec(args={"name": Text(required=True), "params": Text(default=""),
                  "state": Choice("absent", "present", default="present"),
                  "persistent": Choice("disabled", "absent", "present", default="disabled")},
            returns={}, examples=["modprobe: {name: br_netfilter, persistent: present}"])
LOAD, OPTIONS = "/etc/modules-load.d", "/etc/modprobe.d"


def observe(system, args):
    return {"loaded": _is_loaded(system, args.name), "at_boot": bool(_listing(system, args.name)),
            "options": _options(system, args.name)}


def _is_loaded(system, name):
    plain = name.replace("-", "_")
    if system.stat("/sys/module/" + plain) is not None or _is_builtin(system, plain):
        return True
    if system.stat("/proc/modules") is None:  # a kernel without loadable modules
        return False
    return any(line.split(" ", 1)[0] == plain for line in system.read_text("/proc/modules").splitlines())


def _is_builtin(system, plain):
    import os
    path = "/lib/modules/%s/modules.builtin" % os.uname().release
    if system.stat(path) is None:
        return False
    return any(line.strip().endswith("/%s.ko" % variant) for line in system.read_text(path).splitlines()
               for variant in (plain, plain.replace("_", "-")))


def _files(system, folder):
    return [(path, system.read_text(path)) for path in system.glob(folder + "/*.conf") if system.stat(path) is not None]


def _listing(system, name):
    """Files that load the module at boot."""
    pattern = re.compile(r"^%s\s*(#.*)?$" % re.escape(name), re.M)
    return [path for path, text in _files(system, LOAD) if pattern.search(text)]


def _options(system, name):
    pattern = re.compile(r"^options[ \t]+%s[ \t]+(.+?)\s*$" % re.escape(name), re.M)
    words = []
    for _, text in _files(system, OPTIONS):
        for found in pattern.findall(text):
            words += found.split()
    return sorted(words)


def desired(args, before):
    wanted = {"loaded": args.state == "present"}
    if args.persistent != "disabled":
        present = args.persistent == "present"
        wanted["at_boot"] = present
        wanted["options"] = sorted(args.params.split()) if present and args.params else ([] if not present else
                                                                                        before["options"])
    return wanted


def apply(system, args, change):
    if "loaded" in change:
        remove = [] if args.state == "present" else ["-r"]
        run = system.run(["modprobe"] + remove + [args.name] + ((args.params or "").split() if not remove else []))
        if run.rc != 0:
            raise ModuleFailure("modprobe %s failed: %s" % (args.name, run.stderr.strip()), rc=run.rc,
                                stdout=run.stdout, stderr=run.stderr)
    if "at_boot" in change:
        if args.persistent == "present":
            system.write("%s/%s.conf" % (LOAD, args.name), (args.name + "\n").encode(), mode=0o644)
        else:
            _comment_out(system, LOAD, r"^(%s\s*(#.*)?)$" % re.escape(args.name))
    if "options" in change:
        _comment_out(system, OPTIONS, r"^(options[ \t]+%s[ \t].*)$" % re.escape(args.name))
        if args.persistent == "present" and args.params:
            content = "".join("options %s %s\n" % (args.name, word) for word in args.params.split())
            system.write("%s/%s.conf" % (OPTIONS, args.name), content.encode(), mode=0o644)


def _comment_out(system, folder, pattern):
    for path, text in _files(system, folder):
        edited = re.sub(pattern, r"#\1", text, flags=re.M)
        if edited != text:
            system.write(path, edited.encode("utf-8", "surrogateescape"))


def report(args, before, after):
    return {"name": args.name, "params": args.params, "state": args.state}
