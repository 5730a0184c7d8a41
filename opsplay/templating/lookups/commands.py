"""Lookups that run a command on the controller or fetch a URL."""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import ssl
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from opsplay.signals import asked_to_end
from opsplay.templating.failures import LookupFailed
from opsplay.templating.lookups.call import LookupCall
from opsplay.templating.texts import to_text

LOOK = 0.2  # seconds between looks whether the run is to end
MOST_BYTES = 16 * 1024 * 1024


def _run(call: LookupCall, term: Any) -> str:
    require_going_on()
    with subprocess.Popen(
        to_text(term), shell=True, cwd=call.basedir, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    ) as process:
        try:
            output = _output(process)
        except BaseException:
            _kill(process.pid)
            raise
    if process.returncode:
        require_going_on()  # Ctrl-C at a terminal reaches the command, too
        raise LookupFailed(f"lookup_plugin.{call.name}({term}) returned {process.returncode}")
    return output.decode("utf-8", "surrogateescape")


def _output(process: subprocess.Popen[bytes]) -> bytes:
    """All that it prints. Raises CancelledError where the run is to end meanwhile."""
    while True:
        try:
            return process.communicate(timeout=LOOK)[0]
        except subprocess.TimeoutExpired:
            require_going_on()


def _kill(pid: int) -> None:
    """The shell and what it started: all stay in our process group, so that they may ask at the terminal."""
    with contextlib.suppress(OSError):
        children = [child for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
        for child in children:
            _kill(int(child))
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def require_going_on() -> None:
    if asked_to_end():
        from asyncio import CancelledError

        raise CancelledError


def pipe(call: LookupCall) -> list[Any]:
    """What a command prints."""
    return [_run(call, term).rstrip() for term in call.terms]


def lines(call: LookupCall) -> list[Any]:
    """The lines that a command prints."""
    return [line for term in call.terms for line in _run(call, term).splitlines()]


def url(call: LookupCall) -> list[Any]:
    """What a URL answers, by lines unless split_lines=false.

    Options: split_lines=true, validate_certs=true, use_proxy=true, username, password, headers={}, timeout=10, http_agent, ca_path, client_cert, client_key.
    """
    found: list[Any] = []
    for term in call.terms:
        text = _fetch(call, to_text(term))
        found += text.splitlines() if call.flag("split_lines", True) else [text]
    return found


def _fetch(call: LookupCall, address: str) -> str:
    request = urllib.request.Request(address, headers=_headers(call), method="GET")
    try:
        with _opener(call).open(request, timeout=float(call.option("timeout", 10))) as answer:
            data = answer.read(MOST_BYTES + 1)
    except urllib.error.HTTPError as error:
        raise LookupFailed(f"Received HTTP error for {address} : {error}") from None
    except urllib.error.URLError as error:
        raise LookupFailed(f"Failed lookup url for {address} : {error.reason}") from None
    if len(data) > MOST_BYTES:
        raise LookupFailed(f"{address} answers more than {MOST_BYTES} bytes")
    return bytes(data).decode("utf-8", "surrogateescape")


def _headers(call: LookupCall) -> dict[str, str]:
    headers = {"User-Agent": to_text(call.option("http_agent", "ansible-httpget"))}
    headers.update({to_text(name): to_text(value) for name, value in (call.option("headers") or {}).items()})
    if call.option("username"):
        pair = f"{call.option('username')}:{call.option('password', '')}".encode()
        headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
    return headers


def _opener(call: LookupCall) -> urllib.request.OpenerDirector:
    context = ssl.create_default_context(cafile=call.option("ca_path"))
    if not call.flag("validate_certs", True):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if call.option("client_cert"):
        context.load_cert_chain(to_text(call.option("client_cert")), call.option("client_key"))
    handlers: list[urllib.request.BaseHandler] = [urllib.request.HTTPSHandler(context=context)]
    if not call.flag("use_proxy", True):
        handlers.append(urllib.request.ProxyHandler({}))
    return urllib.request.build_opener(*handlers)


LOOKUPS = {"lines": lines, "pipe": pipe, "url": url}
