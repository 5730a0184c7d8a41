"""The host's half of uri: one request, and its answer by Ansible's documented keys."""

import json
import os
import time

from opsplay.remote.http_body import encode_body
from opsplay.remote.http_request import URL_ARGUMENTS, ask
from opsplay.remote.modules import _copy
from opsplay.remote.perform import perform_inside
from opsplay.remote.spec import Args, Choice, Dictionary, Flag, Integer, Listing, ModuleFailure, Path, Raw, Spec, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from opsplay.remote.system import System

SPEC = Spec(
    args=dict(
        URL_ARGUMENTS,
        method=Text(default="GET", text="The HTTP method."),
        body=Raw(text="What to send; a dictionary or list where body_format is not raw."),
        body_format=Choice("form-urlencoded", "json", "raw", "form-multipart", default="raw", text="How body is encoded."),
        src=Path(text="File to send, instead of body."),
        remote_src=Flag(default=False, text="src is on the host."),
        headers=Dictionary(default={}, text="Further headers."),
        status_code=Listing(default=[200], elements=Integer(), text="Statuses that count as success."),
        return_content=Flag(default=False, text="Return what the server sent."),
        dest=Path(text="File or folder to put it in."),
        creates=Path(text="Skip where this exists."),
        removes=Path(text="Skip where this does not exist."),
        follow_redirects=Choice("all", "no", "none", "safe", "urllib2", "yes", default="safe", text="Which to follow."),
        timeout=Integer(default=30, text="Seconds for the server to answer."),
        unix_socket=Path(text="Unix socket to speak through."),
        ca_path=Path(text="Authorities to trust, PEM."),
    ),
    returns={"status": Integer(), "url": Text(), "redirected": Flag(), "content": Text(), "json": Raw(), "cookies": Dictionary(),
             "cookies_string": Text(), "elapsed": Integer(), "msg": Text(), "path": Text()},
    examples=("uri: {url: 'http://127.0.0.1:8080/health', status_code: [200, 204], return_content: true}",),
    exclusive=(("body", "src"),), check="none", repeatable=True, file_arguments=True,
)
CONTENT_LIMIT = 16 << 20


def act(system: "System", args: "Args") -> "Dict[str, Any]":
    skipped = _not_needed(system, args)
    if skipped is not None:
        return skipped
    if system.check:
        return {"changed": False, "skipped": True, "msg": "check mode sends no request"}
    data, headers = encode_body(system, args)
    started = time.time()
    answer = ask(args, args.url, args.method, data, headers, args.timeout, args.follow_redirects)
    content = answer.stream.read(CONTENT_LIMIT + 1) if args.method.upper() != "HEAD" else b""
    answer.close()
    if len(content) > CONTENT_LIMIT:
        raise ModuleFailure("the answer is longer than %d bytes: use get_url" % CONTENT_LIMIT, status=answer.status)
    result = _described(args, answer, content)
    result["elapsed"] = int(time.time() - started)
    if answer.status not in args.status_code:
        said = "Status code was %s and not %s: %s" % (answer.status, args.status_code, answer.message)
        raise ModuleFailure(said, **dict(result, content=_text(answer, content)))
    result["msg"] = answer.message
    result["changed"] = False
    if args.dest and not result.get("failed"):
        result.update(_stored(system, args, content))
    return result


def _not_needed(system: "System", args: "Args") -> "Any":
    if args.creates and system.glob(args.creates):
        return {"changed": False, "stdout": "skipped, since '%s' exists" % args.creates, "skipped": True}
    if args.removes and not system.glob(args.removes):
        return {"changed": False, "stdout": "skipped, since '%s' does not exist" % args.removes, "skipped": True}
    return None


def _described(args: "Args", answer: "Any", content: "bytes") -> "Dict[str, Any]":
    """The headers by their names in lower case, and what Ansible adds to them."""
    result: "Dict[str, Any]" = {}
    for name in {key.lower() for key in answer.headers.keys()}:
        result[name.replace("-", "_")] = ", ".join(answer.headers.get_all(name))
    cookies = {}
    for line in answer.headers.get_all("Set-Cookie") or ():
        name, _, value = line.partition(";")[0].partition("=")
        cookies[name.strip()] = value.strip()
    result.update(status=answer.status, url=answer.url, redirected=answer.url != args.url, cookies=cookies,
                  cookies_string="; ".join("%s=%s" % pair for pair in cookies.items()))
    kind = (answer.headers.get_content_type() or "").lower()
    if kind in ("application/json", "text/json") or kind.endswith("+json"):
        try:
            result["json"] = json.loads(_text(answer, content))
        except ValueError:
            pass
    if args.return_content:
        result["content"] = _text(answer, content)
    return result


def _text(answer: "Any", content: "bytes") -> "str":
    try:
        return content.decode(answer.headers.get_content_charset() or "utf-8", "replace")
    except LookupError:
        return content.decode("utf-8", "replace")


def _stored(system: "System", args: "Args", content: "bytes") -> "Dict[str, Any]":
    system.body = content
    given = {name: argument.default for name, argument in _copy.SPEC.args.items()}
    given.update((name, args[name]) for name in given if name in args and name not in ("src", "force"))
    name = os.path.basename(args.url.partition("?")[0].rstrip("/")) or "index.html"
    stored = perform_inside(_copy, system, Args(given, name=name, source="body"))
    return dict(stored, path=stored.get("dest"))
