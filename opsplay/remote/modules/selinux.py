"""Change the mode and policy of SELinux."""

import re

from opsplay.remote.spec import Choice, Flag, ModuleFailure, Path, Spec, Text

SPEC = Spec(args={"state": Choice("disabled", "enforcing", "permissive", required=True), "policy": Text(),
                  "configfile": Path(default="/etc/selinux/config", aliases=("conf", "file")),
                  "update_kernel_param": Flag(default=False)},
            required_if=(("state", "enforcing", ("policy",)), ("state", "permissive", ("policy",))),
            returns={"reboot_required": "Whether only a reboot makes it so.", "state": "Mode.", "policy": "Policy."},
            examples=["selinux: {policy: targeted, state: permissive}"])
ENFORCE = "/sys/fs/selinux/enforce"


def observe(system, args):
    if system.stat(args.configfile) is None:
        if args.state == "disabled" and system.stat(ENFORCE) is None:
            return {"mode": "disabled", "configured": "disabled", "policy": args.policy, "missing": True}
        raise ModuleFailure("Unable to find file %s: SELinux is not installed on this host" % args.configfile)
    text = system.read_text(args.configfile)
    return {"mode": _mode(system), "configured": _setting(text, "SELINUX") or "disabled",
            "policy": _setting(text, "SELINUXTYPE") or "targeted"}


def _mode(system):
    if system.stat(ENFORCE) is None:
        return "disabled"
    return "enforcing" if system.read_text(ENFORCE).strip() == "1" else "permissive"


def _setting(text, name):
    found = re.search(r"^\s*%s\s*=\s*(\S+)" % name, text, re.M)
    return found.group(1) if found else None


def desired(args, before):
    wanted = {"configured": args.state}
    if args.policy is not None:
        wanted["policy"] = args.policy
    if before["mode"] != "disabled":
        wanted["mode"] = "permissive" if args.state == "disabled" else args.state
    return wanted


def apply(system, args, change):
    text = system.read_text(args.configfile)
    for key, name in (("configured", "SELINUX"), ("policy", "SELINUXTYPE")):
        if key in change:
            line = "%s=%s" % (name, change.wanted[key])
            text, count = re.subn(r"^\s*%s\s*=.*$" % name, line, text, flags=re.M)
            text = text if count else text + line + "\n"
    if "configured" in change or "policy" in change:
        system.write(args.configfile, text.encode(), links="follow")
    if "mode" in change:
        run = system.run(["setenforce", "1" if change.wanted["mode"] == "enforcing" else "0"])
        if run.rc != 0:
            raise ModuleFailure("setenforce failed: %s" % run.stderr.strip(), rc=run.rc)
    if args.update_kernel_param and system.which("grubby"):
        off = ["--args", "selinux=0"] if args.state == "disabled" else ["--remove-args", "selinux"]
        system.run(["grubby", "--update-kernel=ALL"] + off)


def report(args, before, after):
    reboot = (after["mode"] == "disabled") != (args.state == "disabled")
    return {"state": args.state, "policy": after["policy"], "configfile": args.configfile, "reboot_required": reboot,
            "msg": "SELinux state is %s%s" % (after["mode"], "; a reboot is needed" if reboot else "")}
