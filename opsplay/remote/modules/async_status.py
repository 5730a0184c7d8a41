"""Look at, or forget, a job that was started with async."""

import json
import os

from opsplay.remote.spec import Choice, ModuleFailure, Spec, Text

SPEC = Spec(
    args={
        "jid": Text(required=True, text="The ansible_job_id that the start gave."),
        "mode": Choice("status", "cleanup", default="status", text="cleanup removes the job's file."),
    },
    returns={
        "ansible_job_id": Text(text="The job."),
        "finished": Text(text="1 when it is over, else 0."),
        "started": Text(text="1 once it was started."),
        "erased": Text(text="With cleanup: the file removed."),
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
        raise ModuleFailure("could not find job", ansible_job_id=args.jid, started=1, finished=1)
    return _status(system, args.jid, path)


def _safe(jid):
    if not jid or "/" in jid or jid.startswith("."):
        raise ModuleFailure("%r is not a job" % jid, started=1, finished=1)
    return jid


def _clean(system, jid, path):
    if system.lstat(path) is None:
        return {"ansible_job_id": jid, "erased": path, "changed": False, "finished": 0, "started": 0}
    if not system.check:
        system.remove(path)
    return {"ansible_job_id": jid, "erased": path, "changed": True, "finished": 0, "started": 0}


def _status(system, jid, path):
    try:
        state = json.loads(system.read_text(path))
    except ValueError:
        raise ModuleFailure("the job's file cannot be read: %s" % path, ansible_job_id=jid, started=1, finished=1)
    state.update(ansible_job_id=jid, results_file=path)
    if not state.get("finished") and not _alive(state.get("ansible_async_watchdog_pid")):
        raise ModuleFailure("the job ended without a result: its process is gone", ansible_job_id=jid, started=1,
                            finished=1, results_file=path)
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
