"""Keep entries of fstab and mount or unmount them."""

import os

from opsplay.remote import fstab
from opsplay.remote.facts import mounts
from opsplay.remote.spec import Choice, Flag, ModuleFailure, Path, Raw, Spec, Text

SPEC = Spec(
    args={"path": Path(required=True, aliases=("name",)), "src": Path(), "fstype": Text(), "opts": Text(),
          "dump": Raw(default="0"), "passno": Raw(default="0"), "boot": Flag(default=True), "fstab": Text(),
          "backup": Flag(default=False), "opts_no_log": Flag(default=False),
          "state": Choice("absent", "absent_from_fstab", "mounted", "present", "unmounted", "remounted", "ephemeral",
                          required=True)},
    required_if=(("state", "mounted", ("src", "fstype")), ("state", "present", ("src", "fstype")),
                 ("state", "ephemeral", ("src", "fstype"))),
    returns={"name": "Mount point.", "fstab": "The file.", "opts": "Options.", "backup_file": "Copy of the old fstab."},
    examples=["mount: {path: /srv/data, src: /dev/vdb1, fstype: ext4, state: mounted}"],
)
MOMENTARY = ("remounted", "folder_gone")


def _table(args):
    return args.fstab or "/etc/fstab"


def _entry(args):
    opts = args.opts or "defaults"
    if not args.boot and "noauto" not in opts.split(","):
        opts += ",noauto"
    return {"src": args.src, "path": args.path, "fstype": args.fstype, "opts": opts, "dump": str(args.dump or "0"),
            "passno": str(args.passno or "0")}


def observe(system, args):
    found = [mount for mount in mounts.read_mounts(system) if mount.point == _clean(args.path)]
    table = _table(args)
    return {"content": system.read_text(table) if system.stat(table) is not None else "",
            "mounted": bool(found), "source": found[-1].device if found else None, "remounted": False,
            "folder_gone": system.lstat(args.path) is None}


def _clean(path):
    return os.path.realpath(path) if path != "/" else path


def desired(args, before):
    if args.state in ("absent", "absent_from_fstab"):
        wanted = {"content": fstab.drop(before["content"], dict(_entry(args), path=args.path))}
        if args.state == "absent":
            wanted.update(mounted=False, folder_gone=True)
        return wanted
    if args.state == "unmounted":
        return {"mounted": False}
    if args.state == "remounted":
        if not before["mounted"]:
            raise ModuleFailure("Unable to remount %s: it is not mounted" % args.path)
        return {"remounted": True}
    wanted = {} if args.state == "ephemeral" else {"content": fstab.put(before["content"], _entry(args))}
    if args.state in ("mounted", "ephemeral"):
        wanted["mounted"] = True
        if args.state == "ephemeral" and before["mounted"] and before["source"] != args.src:
            raise ModuleFailure("Ephemeral mount point is already mounted with a different source: %s" % before["source"])
        if before["mounted"] and wanted.get("content", before["content"]) != before["content"]:
            wanted["remounted"] = True  # new options of what is mounted take effect now
    return wanted


def apply(system, args, change):
    result = {}
    if "content" in change:
        if args.backup:
            result["backup_file"] = system.backup(_table(args))
        system.write(_table(args), change.wanted["content"].encode("utf-8", "surrogateescape"), links="follow",
                     mode=None if system.stat(_table(args)) is not None else 0o644)
    if change.wanted.get("mounted") is False:
        _do(system, ["umount", args.path], "unmounting")
    if "folder_gone" in change and system.lstat(args.path) is not None:
        _remove_folder(system, args.path)
    if change.wanted.get("mounted"):
        if system.stat(args.path) is None:
            os.makedirs(args.path, 0o755)
        _mount(system, args)
    elif "remounted" in change:
        _remount(system, args)
    return result


def _remove_folder(system, path):
    try:
        system.rmdir(path)
    except OSError as error:
        raise ModuleFailure("Error rmdir %s: %s" % (path, error.strerror))


def _mount(system, args):
    if args.state == "ephemeral":
        _do(system, ["mount", "-t", args.fstype, "-o", args.opts or "defaults", args.src, args.path], "mounting")
    elif args.fstype == "swap":
        _do(system, ["swapon", args.src], "enabling swap on")
    else:
        table = ["-T", args.fstab] if args.fstab and args.fstab != "/etc/fstab" else []
        _do(system, ["mount"] + table + [args.path], "mounting")


def _remount(system, args):
    options = "remount" + ("," + args.opts if args.opts else "")
    run = system.run(["mount", "-o", options, args.path])
    if run.rc != 0:  # not every file system can be remounted: unmount and mount
        _do(system, ["umount", args.path], "remounting")
        _do(system, ["mount"] + (["-T", args.fstab] if args.fstab else []) + [args.path], "remounting")


def _do(system, argv, what):
    run = system.run(argv)
    if run.rc != 0:
        raise ModuleFailure("Error %s %s: %s" % (what, argv[-1], (run.stderr or run.stdout).strip()), rc=run.rc)


def report(args, before, after):
    entry = _entry(args)
    result = {"name": args.path, "fstab": _table(args), "dump": entry["dump"], "passno": entry["passno"],
              "opts": entry["opts"] if not args.opts_no_log else "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"}
    result.update({key: args[key] for key in ("src", "fstype") if args[key] is not None})
    return dict(result, boot="yes" if args.boot else "no")


def difference(args, before, after):
    return [{"before": before["content"], "after": after["content"], "before_header": _table(args),
             "after_header": _table(args)},
            {"before": {"mounted": before["mounted"]}, "after": {"mounted": after["mounted"]}}]
