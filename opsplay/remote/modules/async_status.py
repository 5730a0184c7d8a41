"""Look at, or forget, a job that was started with async."""

import json
import os

from opsplay.remote.spec import Choice, Flag, ModuleFailure, Spec, Text

SPEC = Spec(
    args={
        "jid": Text(required=True, text="The ansible_job_id that the start gave."),
        "mode": Choice("status", "cleanup", default="status", text="cleanup removes the job's file."),
    },
    returns={
        "ansible_job_id": Text(text="The job."),
        "finished": Flag(text="Whether it is over."),
        "started": Flag(text="Whether it was started."),
        "erased": Text(text="With cleanup: the file removed."),
        "stdout": Text(text="Of the job."),
        "stderr": Text(text="Of the job."),
    },
    examples=["async_status: {jid: '{{ started.ansible_job_id }}'}"],
    repeatable=False,
    notes=("Works from a later connection too: the job's state is a file of the user who started it.",),
)


def act(system, args):
    from opsplay.remote.background import folder

    path = os.path.join(folder(), _safe(args.jid))
    if args.mode == "cleanup":
        return _clean(system, args.jid, path)
    if system.lstat(path) is None:
        raise ModuleFailure("could not find job", ansible_job_id=args.jid, started=True, finished=True)
    return _status(system, args.jid, path)


def _safe(jid):
    if not jid or "/" in jid or jid.startswith("."):
        raise ModuleFailure("%r is not a job" % jid, started=True, finished=True)
    return jid


def _clean(system, jid, path):
    if system.lstat(path) is None:
        return {"ansible_job_id": jid, "erased": path, "changed": False, "finished": False, "started": False}
    if not system.check:
        system.remove(path)
    return {"ansible_job_id": jid, "erased": path, "changed": True, "finished": False, "started": False}


def _status(system, jid, path):
    try:
        state = json.loads(system.read_text(path))
    except ValueError:
        raise ModuleFailure("the job's file cannot be read: %s" % path, ansible_job_id=jid, started=True, finished=True)
    state = dict({"stdout": "", "stderr": ""}, **state)
    state.update(ansible_job_id=jid, results_file=path)
    if not state.get("finished") and not _alive(state.get("ansible_async_watchdog_pid")):
        raise ModuleFailure(
            "the job ended without a result: its process is gone",
            ansible_job_id=jid,
            started=True,
            finished=True,
            results_file=path,
        )
    return state


def _alive(pid):
    if pid is None:
        return True  # it has just begun
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
