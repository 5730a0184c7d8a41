"""The bootstrap: a shell line that finds a Python, and the stub that it runs and that reads the core from stdin.

What travels, in order: `exec /bin/sh -c '...'` as the command of the channel, which any login shell understands (no
quote, backslash, newline or exclamation mark inside); from there `PYTHON -I -S -c STUB`; the stub prints the marker and
reads exactly the payload's length from stdin, then runs `opsplay.remote.interpreter`, which sends the first frame.
What the login shell printed before the marker is noise and is dropped.
"""

from __future__ import annotations

import json
import secrets
import shlex
from typing import Any

from opsplay.lazy_dataclass import dataclass
from opsplay.transport.code import core_payload

CANDIDATES = (
    "python3",
    "/usr/bin/python3",
    "/usr/libexec/platform-python",
    *(f"python3.{minor}" for minor in range(13, 5, -1)),
    "/usr/local/bin/python3",
    "python",
)
OLDEST = (3, 6)
NO_PYTHON_STATUS = 97

# The marker is computed, so that an echo of the command line never looks like it.
STUB = """
import sys
if sys.version_info<(3,6):sys.exit(96)
import os
def w(b):
 while b:b=b[os.write(1,b):]
if os.isatty(0):
 import tty
 tty.setraw(0)
w(("%s"+"%s"+chr(10)).encode())
p=[];n=%d
while n:
 d=os.read(0,min(n,65536))
 if not d:sys.exit(0)
 p.append(d);n-=len(d)
import zlib
C=eval(zlib.decompress(b"".join(p)))
M=type(sys)
import importlib.machinery as m
class F:
 def find_spec(s,n,p=None,t=None):
  k=n in("opsplay","opsplay.remote","opsplay.remote.modules")or any(c.startswith(n+".")for c in C)
  if n.startswith("opsplay")and(k or n in C):return m.ModuleSpec(n,s,origin=n.replace(".","/")+".py",is_package=k)
 def create_module(s,q):return None
 def exec_module(s,q):
  n=q.__name__
  if n in C:
   q.__file__=n.replace(".","/")+".py"
   exec(compile(C[n],q.__file__,"exec",0,True),q.__dict__)
 def get_source(s,n):return C.get(n)
sys.meta_path.insert(0,F())
from opsplay.remote.interpreter import main
main(C,%s)
"""


DISCOVERY = ("auto", "auto_silent", "auto_legacy", "auto_legacy_silent")  # Ansible's modes; here they are all one


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """One start of an interpreter: the marker to look for, the shell text to run, the bytes to send behind it."""

    marker: bytes
    script: str  # for /bin/sh -c
    payload: bytes


def candidates(python: str) -> tuple[str, ...]:
    """What to look for on the host: a path that was given, or all that may be there for auto."""
    return CANDIDATES if python in DISCOVERY else (python,)


def bootstrap(pythons: tuple[str, ...], options: dict[str, Any], thorough: bool = False) -> Bootstrap:
    """How to start the interpreter. `thorough` tries each of the pythons before its use."""
    left, right = secrets.token_hex(8), secrets.token_hex(8)
    payload = core_payload()
    stub = STUB.strip() % (left, right, len(payload), _literal(options))
    finder = _finder(pythons, stub, thorough)
    return Bootstrap((left + right + "\n").encode(), finder, payload)


def _literal(options: dict[str, Any]) -> str:
    return repr(json.loads(json.dumps(options)))


def _finder(pythons: tuple[str, ...], stub: str, thorough: bool) -> str:
    """The shell text. Quick: the first candidate that is there. Thorough: the first that is there and new enough.

    Python 3.6 takes file names as ASCII in the C locale; newer ones choose UTF-8 there by themselves.
    """
    words = " ".join(shlex.quote(candidate) for candidate in pythons)
    run, program = ("$p", "${p%% *}") if any(map(_has_arguments, pythons)) else ('"$p"', "$p")
    test = f'command -v "{program}" >/dev/null 2>&1'
    if thorough:
        test += f' && {run} -c "import sys;sys.exit(sys.version_info<{OLDEST})" >/dev/null 2>&1'
    return (
        'case "${LC_ALL:-${LC_CTYPE:-${LANG:-C}}}" in C|POSIX) unset LC_ALL; LC_CTYPE=C.UTF-8; export LC_CTYPE;; esac; '
        f"for p in {words}; do if {test}; then "
        f'exec {run} -I -S -X utf8 -c {shlex.quote(stub)}; fi; done; exit {NO_PYTHON_STATUS}'
    )


def _has_arguments(python: str) -> bool:
    """/usr/bin/env python3, python3 -B; any other blank belongs to the path."""
    words = python.split()
    return len(words) > 1 and (words[0].rpartition("/")[2] == "env" or words[1].startswith("-"))


def login_command(script: str) -> str:
    """The script as a command that any login shell (sh, fish, csh) hands to /bin/sh unchanged."""
    return f"exec /bin/sh -c {portable_quote(script)}"


def portable_quote(text: str) -> str:
    """One word for sh, fish and csh alike: what they read differently inside quotes travels as octal to printf."""
    if not any(char in text for char in "'\\\n!"):
        return f"'{text}'"
    encoded = "".join(f"\\{byte:03o}" if byte in _OCTAL or byte > 126 else chr(byte) for byte in text.encode())
    return f'\'eval "$(printf "{encoded}")"\''


_OCTAL = frozenset(b"'\\\n!%\"$`\r\t")
