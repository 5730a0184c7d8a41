"""Detached jobs (async): a step that runs on without the connection and leaves its result in ~/.ansible_async/JOB."""

import json
import os
import signal
import time

from opsplay.remote.watch import Interrupted, Watch

FOLDER = "~/.ansible_async"


def folder(environment=os.environ):
    """Where the jobs' files are: ANSIBLE_ASYNC_DIR of the task, or of the login, or the default."""
    return os.path.expanduser(environment.get("ANSIBLE_ASYNC_DIR") or os.environ.get("ANSIBLE_ASYNC_DIR") or FOLDER)


def start(step, body, run):
    """Starts the step as a job of its own session and answers at once, as Ansible documents for async."""
    job = "j%d.%d" % (int.from_bytes(os.urandom(6), "big"), os.getpid())
    try:
        path = _prepare(folder(step.get("environment") or {}), job)
    except OSError as error:
        return {"failed": True, "changed": False, "msg": "cannot start a background job: %s" % error}
    child = os.fork()
    if child == 0:
        try:
            _detach(step, body, run, job, path)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    return {"ansible_job_id": job, "started": True, "finished": False, "results_file": path, "changed": True}


def _prepare(where, job):
    os.makedirs(where, mode=0o700, exist_ok=True)
    path = os.path.join(where, job)
    write(path, {"started": True, "finished": False, "ansible_job_id": job})
    return path


def write(path, state):
    """Replaces the job's file at once: who reads it meets the old or the new state."""
    temporary = path + ".tmp"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "w") as handle:
        json.dump(state, handle)
    os.rename(temporary, path)


def _detach(step, body, run, job, path):
    """In the first child: a new session, and a grandchild that nobody waits for."""
    os.setsid()
    if os.fork():
        return
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_RDWR)
    os.closerange(3, null)
    for number in (0, 1, 2):
        os.dup2(null, number)
    os.closerange(3, 4096)
    write(path, {"started": True, "finished": False, "ansible_job_id": job, "ansible_async_watchdog_pid": os.getpid()})
    result = _outcome(step, body, run)
    write(path, dict(result, started=True, finished=True, ansible_job_id=job, end_time=time.time()))


def _outcome(step, body, run):
    from opsplay.remote.interpreter import crash_result

    period = float(step["background"])
    try:
        with Watch(_Nobody(), None, deadline=period) as watch:
            return run(step, body, watch)[0]
    except Interrupted:
        return {
            "failed": True,
            "changed": False,
            "msg": "timed out waiting for job to finish after %g seconds" % period,
        }
    except BaseException as error:
        return crash_result(step, error)


class _Nobody:
    """The inbox of a job that no controller is connected to."""

    fd = None

    def look(self):
        pass

    def is_cancelled(self, request):
        return False

    def gone_for_good(self):
        return False
