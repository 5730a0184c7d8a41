"""Manage packages of SUSE with zypper."""

import re

from opsplay.remote.packages import rpm
from opsplay.remote.spec import Choice, Flag, Listing, ModuleFailure, Spec, Text

SPEC = Spec(
    args={"name": Listing(required=True, aliases=("pkg",)),
          "state": Choice("present", "latest", "absent", "dist-upgrade", "installed", "removed", default="present"),
          "type": Choice("package", "patch", "pattern", "product", "srcpackage", "application", default="package"),
          "disable_gpg_check": Flag(default=False), "disable_recommends": Flag(default=True), "force": Flag(default=False),
          "force_resolution": Flag(default=False), "update_cache": Flag(default=False, aliases=("refresh",)),
          "oldpackage": Flag(default=False), "extra_args": Text(), "extra_args_precommand": Text(),
          "allow_vendor_change": Flag(default=False), "replacefiles": Flag(default=False),
          "clean_deps": Flag(default=False), "simple_errors": Flag(default=False), "quiet": Flag(default=True),
          "skip_post_errors": Flag(default=False), "auto_import_keys": Flag(default=False)},
    returns={"rc": "zypper's code.", "stdout": "Output.", "name": "Packages.", "state": "State."},
    examples=["zypper: {name: nginx, state: present}"],
)
OK = (0, 102, 103, 106)  # 102: reboot suggested, 103: zypper itself was updated, 106: a repository was skipped
SOLVABLE = re.compile(r'<solvable [^>]*?type="(\w+)" name="([^"]+)"[^>]*?edition="([^"]+)"')
SUMMARY = re.compile(r"<(to-install|to-upgrade|to-remove|to-downgrade|to-reinstall|to-change-vendor|to-change-arch)[ >](.*?)</\1>",
                     re.S)


def act(system, args):
    if args.update_cache and not system.check:
        _zypper(system, args, ["refresh"], OK)
    state = {"installed": "present", "removed": "absent"}.get(args.state, args.state)
    names = [name.strip() for name in args.name if name.strip()]
    words = _words(system, args, state, names)
    result = {"name": names, "state": args.state, "rc": 0, "stdout": "", "changed": False}
    if words is None:
        return result
    plan = _zypper(system, args, words[:1] + ["--dry-run"] + words[1:], OK + (104,))
    actions = _actions(plan.stdout)
    if plan.rc == 104 and state != "absent":
        raise ModuleFailure("No provider of %s found." % ", ".join(names), rc=104, stdout=plan.stdout, stderr=plan.stderr)
    result.update(changed=bool(actions), stdout=plan.stdout)
    if actions and not system.check:
        run = _zypper(system, args, words, OK + ((107,) if args.skip_post_errors else ()))
        result.update(rc=run.rc, stdout=run.stdout, stderr=run.stderr)
    if system.diff and actions:
        result["diff"] = {"prepared": "\n".join(actions) + "\n"}
    return result


def _words(system, args, state, names):
    if state == "dist-upgrade":
        return ["dist-upgrade"] + (["--allow-vendor-change"] if args.allow_vendor_change else [])
    if "*" in names:
        if state != "latest":
            raise ModuleFailure("wildcard * only works with state latest")
        return ["patch" if args.type == "patch" else "update"] + _install_options(args)
    if state == "absent":
        there = [name for name in names if args.type != "package" or rpm.is_installed(system, _bare(name))]
        words = ["remove", "--type", args.type] + (["--clean-deps"] if args.clean_deps else [])
        return words + ["--"] + there if there else None
    missing = names
    if state == "present" and args.type == "package":
        missing = [name for name in names if not rpm.is_installed(system, _with_dash(name))]
    if not missing:
        return None
    return ["install", "--type", args.type] + _install_options(args) + ["--"] + missing


def _bare(name):
    return re.split(r"[=<>]", name, maxsplit=1)[0]


def _with_dash(name):
    """zypper's name=version is rpm's `name = version`."""
    return re.sub(r"\s*([<>]?=|[<>])\s*", r" \1 ", name)


def _install_options(args):
    options = ["--auto-agree-with-licenses"]
    for wanted, flag in ((args.disable_recommends, "--no-recommends"), (args.force, "--force"),
                         (args.force_resolution, "--force-resolution"), (args.oldpackage, "--oldpackage"),
                         (args.replacefiles, "--replacefiles")):
        if wanted:
            options.append(flag)
    return options + (args.extra_args or "").split()


def _zypper(system, args, words, accepted):
    base = ["zypper", "--xmlout", "--non-interactive"] + (args.extra_args_precommand or "").split()
    base += (["--no-gpg-checks"] if args.disable_gpg_check else []) + (
        ["--gpg-auto-import-keys"] if args.auto_import_keys else [])
    run = system.run(base + words)
    if run.rc not in accepted:
        raise ModuleFailure("zypper %s failed: %s" % (" ".join(words), _message(run)), rc=run.rc, stdout=run.stdout,
                            stderr=run.stderr)
    return run


def _message(run):
    errors = re.findall(r'<message type="error">(.*?)</message>', run.stdout, re.S)
    return "; ".join(errors) or run.stderr.strip() or "code %d" % run.rc


def _actions(text):
    actions = []
    for section, body in SUMMARY.findall(text):
        for kind, name, edition in SOLVABLE.findall(body):
            actions.append("%s %s %s-%s" % (section[3:], kind, name, edition))
    return actions
