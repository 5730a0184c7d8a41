"""The host's half of modules of others: run the file that came along by its protocol, and read the JSON it prints."""

import json
import os
import re
import sys

from opsplay.remote.marked_values import unmarked
from opsplay.remote.spec import Dictionary, Flag, ModuleFailure, Raw, Spec, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SPEC = Spec(
    args={
        "name": Text(required=True), "style": Text(required=True), "digest": Text(required=True),
        "arguments": Text(required=True, text="What the module is given, by its style."),
        "interpreter": Raw(text="The words before the file's name; python stands for the one that runs this."),
        "python_name": Text(), "placeholders": Dictionary(), "keep": Flag(default=True),
    },
    check="partial", repeatable=False,
)
RUNNER = """import runpy, sys
sys.path.insert(0, %(path)r)
runpy.run_module(%(name)r, init_globals={"_module_fqn": %(name)r, "_modlib_path": %(path)r}, run_name="__main__", alter_sys=True)
"""
KEPT = {}  # type: Dict[str, bytes]
MOST_KEPT = 32


def act(system: "System", args: "Args") -> "Dict[str, Any]":
    code = _code(system, args)
    if code is None:
        return {"needs_body": True}
    folder = system.temporary()
    argv, given = _prepare(system, args, code, folder)
    run = system.run(argv, input=given, locale=None)
    return _result(args, run)


def _code(system: "System", args: "Args") -> "Optional[bytes]":
    """The file: as sent, or as kept from an earlier step of the same play."""
    body = system.body  # type: Optional[bytes]
    if body is None:
        return KEPT.get(args.digest)
    if len(KEPT) >= MOST_KEPT:
        KEPT.clear()
    KEPT[args.digest] = body
    return body


def _prepare(system: "System", args: "Args", code: bytes, folder: str) -> "Tuple[List[str], Optional[bytes]]":
    """(the command, what it reads from stdin); files are written where only this user can read them."""
    if args.style == "python":
        archive, runner = os.path.join(folder, "bundle.zip"), os.path.join(folder, "runner.py")
        system.write(archive, code, mode=0o600)
        system.write(runner, (RUNNER % {"path": archive, "name": args.python_name}).encode(), mode=0o600)
        return [_python(args), runner], args.arguments.encode("utf-8", "surrogateescape")
    for mark, text in (args.placeholders or {}).items():
        code = code.replace(mark.encode(), text.encode("utf-8", "surrogateescape"))
    path = os.path.join(folder, os.path.basename(args.name) or "module")
    system.write(path, code, mode=0o700)
    words = [_python(args) if word == "python" else word for word in args.interpreter or ()]
    if args.style == "embedded":
        return words + [path], b""
    given = os.path.join(folder, "args")
    system.write(given, args.arguments.encode("utf-8", "surrogateescape"), mode=0o600)
    return words + [path, given], b""


def _python(args: "Args") -> str:
    if not sys.executable:
        raise ModuleFailure("this Python does not know its own path, which the module %s needs" % args.name)
    return sys.executable


def _result(args: "Args", run: "Any") -> "Dict[str, Any]":
    found, after = _json_in(run.stdout)
    if found is None:
        return {
            "failed": True, "changed": False, "rc": run.rc, "module_stdout": run.stdout, "module_stderr": run.stderr,
            "msg": _why(args, run.stderr),
            "exception": run.stderr if "Traceback" in run.stderr else "",
        }
    result = {key: value for key, value in found.items() if not key.startswith("_ansible_")}
    if run.rc and "failed" not in result and "rc" not in result:
        result.update(failed=True, rc=run.rc)
    if result.get("failed") and result.get("exception") and not result.get("msg"):
        result["msg"] = "Task failed: Module failed: %s" % str(result["exception"]).strip().splitlines()[-1]
    if run.stderr.strip() and result.get("failed"):
        result.setdefault("module_stderr", run.stderr)
    if after:
        result["warnings"] = list(result.get("warnings") or ()) + [
            "Module invocation had junk after the JSON data: %s" % after[:200]]
    return result


def _why(args: "Args", errors: str) -> str:
    """What a Python module raised, or that it told nothing."""
    lines = errors.strip().splitlines()
    raised = re.match(r"[A-Za-z_][\w.]*(?::\s+(.*))?$", lines[-1]) if "Traceback (most recent call last)" in errors else None
    if raised is not None:
        return "Task failed: Module failed: %s" % (raised.group(1) or raised.group(0))
    return "MODULE FAILURE: %s printed no JSON result.\nSee stdout/stderr for the exact error" % args.name


def _json_in(text: str) -> "Tuple[Optional[Dict[str, Any]], str]":
    """(the object, what stood behind it): profiles and login scripts may print before it, too."""
    decoder = json.JSONDecoder(object_hook=unmarked)
    start = 0
    while True:
        start = text.find("{", start)
        if start < 0:
            return None, ""
        line = text.rfind("\n", 0, start) + 1
        if not text[line:start].strip():
            try:
                found, end = decoder.raw_decode(text, start)
            except ValueError:
                found = None
            if isinstance(found, dict):
                return found, text[end:].strip()
        start += 1
