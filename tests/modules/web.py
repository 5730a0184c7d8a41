"""A small web server for get_url and uri: fixed answers, echoes, redirects, logins."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HELLO = b"hello\n"
FIXED: dict[str, tuple[str, bytes]] = {
    "/hello.txt": ("text/plain", HELLO),
    "/data.json": ("application/json", b'{"a": [1, 2], "b": "x"}'),
    "/sums.txt": ("text/plain", f"{hashlib.sha256(HELLO).hexdigest()}  hello.txt\n{'0' * 64}  other\n".encode()),
    "/big": ("application/octet-stream", bytes(range(256)) * 4096),
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None:
        pass

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        if path in FIXED:
            self.reply(200, FIXED[path][1], {"Content-Type": FIXED[path][0]})
        elif path.startswith("/status/"):
            self.reply(int(path.rpartition("/")[2]), b"as you like\n")
        elif path == "/echo":
            seen = {"method": self.command, "body": body.decode("utf-8", "replace"), "headers": {k.lower(): v for k, v in self.headers.items()}}
            self.reply(200, json.dumps(seen).encode(), {"Content-Type": "application/json", "Set-Cookie": "sid=abc; Path=/"})
        elif path == "/redirect":
            self.reply(302, b"", {"Location": "/hello.txt"})
        elif path == "/loop":
            self.reply(302, b"", {"Location": "/loop"})
        elif path == "/gzip":
            self.reply(200, gzip.compress(HELLO), {"Content-Encoding": "gzip", "Content-Type": "text/plain"})
        elif path == "/named":
            self.reply(200, HELLO, {"Content-Disposition": 'attachment; filename="named.txt"'})
        elif path == "/login":
            allowed = self.headers.get("Authorization") == "Basic " + base64.b64encode(b"joe:secret").decode()
            self.reply(200 if allowed else 401, b"in\n" if allowed else b"out\n", {} if allowed else {"WWW-Authenticate": 'Basic realm="x"'})
        else:
            self.reply(404, b"nothing here\n")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = answer

    def reply(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def serve() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
