"""useradd, usermod, userdel, chage, chpasswd for the user module; on Alpine their busybox forms where shadow is missing."""

import time

from opsplay.remote.spec import ModuleFailure

AGEING = (("password_expire_min", "-m"), ("password_expire_max", "-M"), ("password_expire_warn", "-W"),
          ("password_expire_account_disable", "-I"))


def _do(system, argv, input=None):
    run = system.run(argv, input=input)
    if run.rc != 0:
        raise ModuleFailure("%s failed: %s" % (argv[0], (run.stderr or run.stdout).strip()), rc=run.rc,
                            stdout=run.stdout, stderr=run.stderr)
    return run


def _output(run):
    return {name: text for name, text in (("stdout", run.stdout), ("stderr", run.stderr)) if text}


def _day(expires):
    return time.strftime("%Y-%m-%d", time.gmtime(expires)) if expires >= 0 else ""


def create(system, args):
    if not system.which("useradd"):
        return _busybox_create(system, args)
    argv = ["useradd"]
    for flag, value in (("-u", args.uid), ("-g", args.group), ("-c", args.comment), ("-d", args.home),
                        ("-s", args.shell), ("-Z", args.seuser)):
        if value is not None:
            argv += [flag, str(value)]
    if args.uid is not None and args.non_unique:
        argv.append("-o")
    if args.group is None and _group_is_there(system, args.name):
        argv.append("-N")  # a group of that name is there; useradd would fail to make its own
    groups = [name.strip() for name in args.groups or () if name and name.strip()]
    if groups:
        argv += ["-G", ",".join(groups)]
    if args.expires is not None:
        argv += ["-e", _day(args.expires)]
    argv += _home_flags(args) + (["-r"] if args.system else [])
    for key, name in (("uid_min", "UID_MIN"), ("uid_max", "UID_MAX")):
        if args[key] is not None:
            argv += ["-K", "%s=%d" % (name, args[key])]
    return _output(_do(system, argv + ["--", args.name]))


def _home_flags(args):
    if not args.create_home:
        return ["-M"]
    return ["-m"] + (["-k", args.skeleton] if args.skeleton else []) + (["-K", "UMASK=" + args.umask] if args.umask else [])


def _group_is_there(system, name):
    from opsplay.remote import accounts
    return accounts.group(system, name) is not None and not name.isdigit()


def _busybox_create(system, args):
    argv = ["adduser", "-D"]
    for flag, value in (("-h", args.home), ("-g", args.comment), ("-s", args.shell), ("-G", args.group),
                        ("-u", args.uid), ("-k", args.skeleton)):
        if value is not None:
            argv += [flag, str(value)]
    argv += ([] if args.create_home else ["-H"]) + (["-S"] if args.system else [])
    run = _do(system, argv + [args.name])
    for name in args.groups or ():
        _do(system, ["addgroup", args.name, name])
    return _output(run)


def modify(system, args, change):
    wanted = change.wanted
    flags = {"uid": "-u", "gid": "-g", "comment": "-c", "shell": "-s", "home": "-d"}
    argv = ["usermod"]
    for key, flag in flags.items():
        if key in wanted:
            argv += [flag, str(wanted[key])]
    if "uid" in wanted and args.non_unique:
        argv.append("-o")
    if "home" in wanted and args.move_home:
        argv.append("-m")
    if "groups" in wanted:
        argv += ["-G", ",".join(wanted["groups"])]
    if "expires" in wanted or "shadow" in wanted:
        argv += ["-e", _day(args.expires)]
    if len(argv) == 1:
        return {}
    return _output(_do(system, argv + ["--", args.name]))


def set_secrets(system, args, change):
    """Password, lock and ageing. A hash goes by stdin: as an argument every user would see it in `ps`."""
    wanted = change.wanted
    if "password" in wanted:
        hashed = args.password
        if hashed in ("", "*") or set(hashed) <= {"!", "*"}:
            _do(system, ["usermod", "-p", hashed, "--", args.name])
        elif "\n" in hashed or ":" in hashed:
            raise ModuleFailure("the password hash holds a colon or a line break")
        else:
            _do(system, ["chpasswd", "-e"], input="%s:%s\n" % (args.name, hashed))
    if "password_lock" in wanted or ("password" in wanted and args.password_lock):
        _do(system, ["usermod", "-L" if args.password_lock else "-U", "--", args.name])
    ageing = []
    for key, flag in AGEING:
        if key in wanted:
            ageing += [flag, str(wanted[key])]
    if ageing:
        _do(system, ["chage"] + ageing + ["--", args.name])


def delete(system, args):
    if not system.which("userdel"):
        return _output(_do(system, ["deluser"] + (["--remove-home"] if args.remove else []) + [args.name]))
    argv = ["userdel"] + (["-f"] if args.force else []) + (["-r"] if args.remove else [])
    run = system.run(argv + ["--", args.name])
    if run.rc not in (0, 12):  # 12: gone, but some of its files could not be removed; userdel says which
        raise ModuleFailure("userdel failed: %s" % (run.stderr or run.stdout).strip(), rc=run.rc, stderr=run.stderr)
    if run.rc == 12:
        system.warn("userdel: %s" % run.stderr.strip())
    return _output(run)
