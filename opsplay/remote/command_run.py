"""What command, shell, script and expect share: creates/removes, running, and the documented result."""

import datetime
import os

from opsplay.remote.spec import ModuleFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Union

    from opsplay.remote.process import Run
    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

    Command = Union[str, List[str]]

TIMESTAMP = "%Y-%m-%d %H:%M:%S.%f"


def not_needed(system: "System", args: "Args", command: "Command") -> "Optional[Dict[str, Any]]":
    """The result where `creates` exists or `removes` does not, else None."""
    said = None
    if args.get("creates") and system.glob(_under(args, args["creates"])):
        said = "Did not run command since '%s' exists" % args["creates"]
        stdout = "skipped, since %s exists" % args["creates"]
    elif args.get("removes") and not system.glob(_under(args, args["removes"])):
        said = "Did not run command since '%s' does not exist" % args["removes"]
        stdout = "skipped, since %s does not exist" % args["removes"]
    if said is None:
        return None
    return _result(command, 0, stdout, "", changed=False, msg=said, start=None, end=None, delta=None)


def _under(args: "Args", pattern: str) -> str:
    return os.path.join(args.get("chdir") or "", pattern)


def would_run(args: "Args", command: "Command") -> "Dict[str, Any]":
    """Check mode: whether it would change something is known only where creates or removes say so."""
    known = bool(args.get("creates") or args.get("removes"))
    result = _result(command, 0, "", "", changed=known, msg="Command would have run if not in check mode",
                     start=None, end=None, delta=None)
    if not known:
        result["skipped"] = True
    return result


def require_directory(system: "System", chdir: "Optional[str]", command: "Command") -> None:
    if chdir and not os.path.isdir(chdir):
        raise ModuleFailure("Unable to change directory before execution: %s is not a directory" % chdir,
                            cmd=command, rc=2, changed=False, stdout="", stderr="")


def stdin_bytes(args: "Args") -> "Optional[bytes]":
    text = args.get("stdin")
    if text is None:
        return None
    if args.get("stdin_add_newline", True) and not text.endswith("\n"):
        text += "\n"
    return str(text).encode("utf-8", "surrogateescape")


def run_documented(system: "System", args: "Args", command: "Command", shell: "Optional[str]" = None,
                   environment: "Optional[Dict[str, str]]" = None) -> "Dict[str, Any]":
    """Run it and give cmd, rc, stdout, stderr, start, end and delta; a non-zero code is a failure."""
    require_directory(system, args.get("chdir"), command)
    started = datetime.datetime.now()
    try:
        run = system.run(command, input=stdin_bytes(args), cwd=args.get("chdir"), shell=shell, environment=environment,
                         locale=None)
    except ModuleFailure as error:  # it could not be started
        raise ModuleFailure(error.msg, cmd=command, rc=error.result.get("rc", 2), changed=False,
                            stdout="", stderr="", stdout_lines=[], stderr_lines=[])
    return judged(system, args, command, run, started)


def judged(system: "System", args: "Args", command: "Command", run: "Run", started: "datetime.datetime") -> "Dict[str, Any]":
    ended = datetime.datetime.now()
    for stream, missing in (("stdout", run.stdout_truncated), ("stderr", run.stderr_truncated)):
        if missing:
            system.warn("%d bytes of %s were left out" % (missing, stream))
    strip = args.get("strip_empty_ends", True)
    stdout, stderr = (_stripped(run.stdout), _stripped(run.stderr)) if strip else (run.stdout, run.stderr)
    result = _result(command, run.rc, stdout, stderr, changed=True, msg="", start=started.strftime(TIMESTAMP),
                     end=ended.strftime(TIMESTAMP), delta=str(ended - started))
    if run.rc != 0:
        result.pop("msg")
        raise ModuleFailure("non-zero return code", **result)
    return result


def _stripped(text: str) -> str:
    return text.rstrip("\r\n")


def _result(command: "Command", rc: int, stdout: str, stderr: str, **more: "Any") -> "Dict[str, Any]":
    return dict(more, cmd=command, rc=rc, stdout=stdout, stderr=stderr,
                stdout_lines=stdout.splitlines(), stderr_lines=stderr.splitlines())
