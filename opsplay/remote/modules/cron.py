"""Manage cron jobs and variables in users' crontabs and in /etc/cron.d."""

import os

from opsplay.remote import crontab
from opsplay.remote.spec import Choice, Flag, ModuleFailure, Path, Spec, Text

SPEC = Spec(
    args={
        "name": Text(required=True, text="Kept in a comment line, by which the job is found again."),
        "user": Text(), "job": Text(aliases=("value",)), "state": Choice("absent", "present", default="present"),
        "cron_file": Path(text="File in /etc/cron.d, or an absolute path."), "backup": Flag(default=False),
        "minute": Text(default="*"), "hour": Text(default="*"), "day": Text(default="*", aliases=("dom",)),
        "month": Text(default="*"), "weekday": Text(default="*", aliases=("dow",)),
        "special_time": Choice("annually", "daily", "hourly", "monthly", "reboot", "weekly", "yearly"),
        "disabled": Flag(default=False), "env": Flag(default=False),
        "insertafter": Text(), "insertbefore": Text(),
    },
    exclusive=(("insertafter", "insertbefore"),),
    returns={"jobs": "Names of all jobs.", "envs": "Names of all variables.", "backup_file": "Copy of the old crontab."},
    examples=["cron: {name: nightly, minute: '0', hour: '3', job: /usr/local/bin/nightly}"],
)


def observe(system, args):
    _check(system, args)
    return {"content": _read(system, args)}


def _check(system, args):
    if args.cron_file and os.path.realpath(_file(args)) == "/etc/crontab":
        raise ModuleFailure("Will not manage /etc/crontab via cron_file, see documentation.")
    if args.state == "present" and args.job is None:
        raise ModuleFailure("You must specify 'job' to install a new cron job or variable")
    if args.cron_file and not args.user and args.state == "present" and not args.env:
        raise ModuleFailure("To use cron_file=... parameter you must specify user=... as well")
    if args.job and "\n" in args.job.strip("\r\n"):
        raise ModuleFailure("Job should not contain line breaks")
    times = [args[name] for name in ("minute", "hour", "day", "month", "weekday")]
    if args.special_time and any(value != "*" for value in times):
        raise ModuleFailure("You must specify time and date fields or special time.")
    if (args.insertafter or args.insertbefore) and not (args.env and args.state == "present"):
        raise ModuleFailure("Insertafter and insertbefore parameters are valid only with env=yes and state=present")


def _file(args):
    return os.path.join("/etc/cron.d", args.cron_file) if args.cron_file else None


def _read(system, args):
    """The text, None where the file is not there."""
    if args.cron_file:
        return system.read_text(_file(args)) if system.stat(_file(args)) is not None else None
    if not system.which("crontab"):
        if system.check:
            return ""
        raise ModuleFailure('Failed to find required executable "crontab": install cron first')
    run = system.run(["crontab"] + (["-u", args.user] if args.user else []) + ["-l"])
    if run.rc not in (0, 1) or (run.rc == 1 and run.stderr and "no crontab" not in run.stderr):
        raise ModuleFailure("Unable to read crontab: %s" % run.stderr.strip(), rc=run.rc)
    return crontab.text_of(crontab.lines_of(run.stdout)) if run.rc == 0 else ""


def desired(args, before):
    lines = (before["content"] or "").splitlines()
    changed = _edit(args, lines)
    if changed == lines:
        return {}
    if args.cron_file and args.state == "absent" and not any(line.strip() for line in changed):
        return {"content": None}
    return {"content": crontab.text_of(changed)}


def _edit(args, lines):
    if args.state == "absent":
        return crontab.remove_variable(lines, args.name) if args.env else crontab.remove_job(lines, args.name)
    if not args.env:
        return crontab.set_job(lines, args.name, crontab.job_line(args, bool(args.cron_file)))
    edited = crontab.set_variable(lines, args.name, args.job, args.insertafter, args.insertbefore)
    if edited is None:
        raise ModuleFailure("Variable named '%s' not found." % (args.insertafter or args.insertbefore))
    return edited


def apply(system, args, change):
    result = {}
    before, content = change.before["content"], change.wanted["content"]
    if args.backup and before:
        result["backup_file"] = _backup(system, args, before)
    if args.cron_file:
        _write_file(system, _file(args), content)
    elif content or before:
        user = ["-u", args.user] if args.user else []
        run = system.run(["crontab"] + user + ["-"], input=content)
        if run.rc != 0:
            raise ModuleFailure("crontab refused the new table: %s" % run.stderr.strip(), rc=run.rc)
    return result


def _write_file(system, path, content):
    if content is None:
        system.remove(path)
    else:
        new = system.lstat(path) is None
        system.write(path, content.encode("utf-8", "surrogateescape"), mode=0o644 if new else None)


def _backup(system, args, content):
    import tempfile
    descriptor, path = tempfile.mkstemp(prefix="crontab")
    with os.fdopen(descriptor, "wb") as target:
        target.write(content.encode("utf-8", "surrogateescape"))
    return path


def report(args, before, after):
    lines = (after["content"] or "").splitlines()
    result = {"jobs": crontab.job_names(lines), "envs": crontab.variable_names(lines)}
    if args.cron_file:
        result.update(cron_file=args.cron_file, state=args.state)
    return result


def difference(args, before, after):
    header = _file(args) or "crontab"
    return {"before": before["content"] or "", "after": after["content"] or "", "before_header": header,
            "after_header": header}
