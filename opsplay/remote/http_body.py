"""The body of a request: raw, JSON, a form, or a form of parts with files."""

import base64
import json
import mimetypes
import os
import urllib.parse

from opsplay.remote.spec import ModuleFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

    from opsplay.remote.spec import Args
    from opsplay.remote.system import System


def encode_body(system: "System", args: "Args") -> "Tuple[Optional[bytes], Dict[str, str]]":
    """The bytes to send and the headers to send with them; a Content-Type of one's own wins."""
    headers = {str(name): str(value) for name, value in (args.headers or {}).items()}
    data, kind = _encoded(system, args)
    if kind and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = kind
    return data, headers


def _encoded(system: "System", args: "Args") -> "Tuple[Optional[bytes], Optional[str]]":
    if args.src:
        return _file(system, args), None
    body = args.body
    if body is None:
        return None, None
    if args.body_format == "json":
        text = body if isinstance(body, str) and _is_json(body) else json.dumps(body)
        return text.encode("utf-8"), "application/json"
    if args.body_format == "form-urlencoded":
        return _form(body).encode("utf-8"), "application/x-www-form-urlencoded"
    if args.body_format == "form-multipart":
        return _multipart(system, body)
    text = body if isinstance(body, str) else json.dumps(body) if isinstance(body, (dict, list)) else str(body)
    return text.encode("utf-8", "surrogateescape"), None


def _file(system: "System", args: "Args") -> "bytes":
    if system.body is not None:
        return bytes(system.body)
    try:
        return bytes(system.read(args.src))
    except OSError as error:
        raise ModuleFailure("Unable to open source file %s: %s" % (args.src, error))


def _is_json(text: "str") -> "bool":
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _form(body: "Any") -> "str":
    if isinstance(body, str):
        return body
    try:
        pairs = list(body.items()) if isinstance(body, dict) else [tuple(pair) for pair in body]
        flat = [(name, item) for name, value in pairs for item in (value if isinstance(value, list) else [value])]
        return urllib.parse.urlencode(flat)
    except (ValueError, TypeError) as error:
        raise ModuleFailure("failed to parse body as form_urlencoded: %s" % error)


def _multipart(system: "System", body: "Any") -> "Tuple[bytes, str]":
    if not isinstance(body, dict):
        raise ModuleFailure("failed to parse body as form-multipart: it is a mapping of fields")
    boundary = "opsplay-%s" % os.urandom(16).hex()
    parts: "List[bytes]" = []
    for name, value in body.items():
        for item in value if isinstance(value, list) else [value]:
            parts.append(b"--%s\r\n%s\r\n" % (boundary.encode(), _part(system, str(name), item)))
    return b"".join(parts) + b"--%s--\r\n" % boundary.encode(), 'multipart/form-data; boundary="%s"' % boundary


def _part(system: "System", name: "str", value: "Any") -> "bytes":
    if not isinstance(value, dict):
        return b'Content-Disposition: form-data; name="%s"\r\n\r\n%s' % (_quoted(name), str(value).encode("utf-8"))
    filename, content = value.get("filename"), value.get("content")
    if filename is None and content is None:
        raise ModuleFailure("at least one of filename or content must be provided for %s" % name)
    data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else None
    if value.get("content_base64") is not None:  # a file of the controller
        data = base64.b64decode(value["content_base64"])
    if data is None:
        try:
            data = system.read(filename)
        except OSError as error:
            raise ModuleFailure("cannot read %s: %s" % (filename, error))
    kind = value.get("mime_type") or mimetypes.guess_type(filename or "")[0] or "application/octet-stream"
    named = b'; filename="%s"' % _quoted(os.path.basename(filename)) if filename else b""
    encoding = b""
    if value.get("multipart_encoding") == "base64":
        data, encoding = base64.encodebytes(data), b"Content-Transfer-Encoding: base64\r\n"
    return b'Content-Disposition: form-data; name="%s"%s\r\nContent-Type: %s\r\n%s\r\n%s' % (
        _quoted(name), named, kind.encode("ascii", "replace"), encoding, data)


def _quoted(text: "str") -> "bytes":
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", " ").replace("\n", " ").encode("utf-8")
