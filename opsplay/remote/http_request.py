"""One HTTP(S), FTP or file request by the standard library: redirects, logins, certificates, unix sockets."""

import base64
import gzip
import http.client
import os
import socket
import ssl
import urllib.error
import urllib.parse
import urllib.request

from opsplay.remote.spec import Flag, Listing, ModuleFailure, Path, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

    from opsplay.remote.spec import Args

URL_ARGUMENTS = {
    "url": Text(required=True, text="What to ask for."),
    "force": Flag(default=False, text="Do not accept a cached answer; get_url: download even where the file is there."),
    "http_agent": Text(default="ansible-httpget", text="The User-Agent."),
    "url_username": Text(aliases=("user", "username"), text="Login."),
    "url_password": Text(aliases=("password",), secret=True, text="Password of the login."),
    "force_basic_auth": Flag(default=False, text="Send the login without waiting to be asked."),
    "validate_certs": Flag(default=True, text="Check the server's certificate."),
    "client_cert": Path(text="Certificate to show, PEM."),
    "client_key": Path(text="Its key, PEM."),
    "use_proxy": Flag(default=True, text="Honour the http_proxy variables."),
    "use_netrc": Flag(default=True, text="Take a login from ~/.netrc."),
    "unredirected_headers": Listing(default=[], elements=Text(), text="Headers that a redirect does not get."),
    "ciphers": Listing(elements=Text(), text="TLS ciphers, as OpenSSL names them."),
    "decompress": Flag(default=True, text="Unpack a gzip-encoded answer."),
    "use_gssapi": Flag(default=False, text="Not supported here."),
}
PRIVATE_HEADERS = ("authorization", "cookie", "proxy-authorization")


class Answer(object):
    """What the server said; error statuses are answers too."""

    def __init__(self, raw: "Any", url: "str", decompress: "bool") -> "None":
        self.status: int = getattr(raw, "status", None) or getattr(raw, "code", None) or 200
        self.reason = getattr(raw, "reason", "") or "OK"
        self.url = raw.geturl() or url
        self.headers = raw.headers
        self.raw = raw
        packed = decompress and (self.headers.get("Content-Encoding") or "").lower() == "gzip"
        self.stream = gzip.GzipFile(fileobj=raw) if packed else raw

    @property
    def message(self) -> "str":
        length = self.headers.get("Content-Length")
        said = "OK" if self.status == 200 else "HTTP Error %d: %s" % (self.status, self.reason)
        return "%s (%s bytes)" % (said, length or "unknown") if self.status == 200 else said

    def close(self) -> "None":
        self.raw.close()


def ask(args: "Args", url: "str", method: "str" = "GET", data: "Any" = None, headers: "Optional[Dict[str, str]]" = None,
        timeout: "float" = 10, redirects: "str" = "urllib2") -> "Answer":
    """The server's answer, whatever its status. Raises ModuleFailure where there was none."""
    if args.get("use_gssapi"):
        raise ModuleFailure("use_gssapi is not supported: it needs a library that hosts do not have")
    url, login = _login(args, url)
    request = urllib.request.Request(url, data=data, method=method.upper())
    request.add_header("User-Agent", args.get("http_agent") or "ansible-httpget")
    if args.get("force"):
        request.add_header("Cache-Control", "no-cache")
    if login and args.get("force_basic_auth"):
        request.add_unredirected_header("Authorization", basic(*login))
    fixed = [name.lower() for name in args.get("unredirected_headers") or ()]
    for name, value in (headers or {}).items():
        add = request.add_unredirected_header if name.lower() in fixed else request.add_header
        add(str(name), str(value))
    try:
        raw = _opener(args, url, login, redirects).open(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        raw = error
    except (urllib.error.URLError, ssl.SSLError, socket.timeout, OSError, http.client.HTTPException, ValueError) as error:
        raise ModuleFailure("Request failed: %s" % _reason(error), url=url, status=-1, elapsed=0, redirected=False)
    return Answer(raw, url, bool(args.get("decompress", True)))


def basic(user: "str", password: "str") -> "str":
    return "Basic " + base64.b64encode(("%s:%s" % (user, password)).encode("utf-8")).decode("ascii")


def _reason(error: "Exception") -> "str":
    reason = getattr(error, "reason", error)
    text = str(reason) or type(reason).__name__
    if isinstance(reason, ssl.SSLError) and "CERTIFICATE_VERIFY_FAILED" in text:
        text += ". Give its authority to the host, or set validate_certs: false"
    return text


def _login(args: "Args", url: "str") -> "Tuple[str, Optional[Tuple[str, str]]]":
    """The URL without a login in it, and the login: from the arguments, the URL or ~/.netrc."""
    parts = urllib.parse.urlsplit(url)
    inside = None
    if "@" in parts.netloc and parts.scheme in ("http", "https"):
        userinfo, _, host = parts.netloc.rpartition("@")
        user, _, password = userinfo.partition(":")
        inside = (urllib.parse.unquote(user), urllib.parse.unquote(password))
        url = urllib.parse.urlunsplit(parts._replace(netloc=host))
    if args.get("url_username"):
        return url, (args["url_username"], args.get("url_password") or "")
    return url, inside or (_netrc(parts.hostname) if args.get("use_netrc") else None)


def _netrc(host: "Optional[str]") -> "Optional[Tuple[str, str]]":
    if not os.path.exists(os.environ.get("NETRC") or os.path.expanduser("~/.netrc")):
        return None
    import netrc
    try:
        found = netrc.netrc(os.environ.get("NETRC")).authenticators(host or "")
    except (OSError, netrc.NetrcParseError):
        return None
    return (found[0], found[2] or "") if found else None


def _opener(args: "Args", url: "str", login: "Any", redirects: "str") -> "urllib.request.OpenerDirector":
    handlers: "List[Any]" = [Redirects(redirects)]
    if not args.get("use_proxy", True):
        handlers.append(urllib.request.ProxyHandler({}))
    if login and not args.get("force_basic_auth"):
        known = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        known.add_password(None, url, *login)
        handlers += [urllib.request.HTTPBasicAuthHandler(known), urllib.request.HTTPDigestAuthHandler(known)]
    if args.get("unix_socket"):
        handlers.append(UnixSocket(args["unix_socket"]))
    if url.lower().startswith("https"):
        handlers.append(urllib.request.HTTPSHandler(context=_tls(args)))
    return urllib.request.build_opener(*handlers)


def _tls(args: "Args") -> "ssl.SSLContext":
    context = ssl.create_default_context(cafile=args.get("ca_path"))
    if not args.get("validate_certs", True):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if args.get("ciphers"):
        context.set_ciphers(":".join(args["ciphers"]))
    if args.get("client_cert"):
        context.load_cert_chain(args["client_cert"], args.get("client_key"))
    return context


class Redirects(urllib.request.HTTPRedirectHandler):
    """follow_redirects: none, safe (GET and HEAD only), all (the method is kept), urllib2 (Python's own rules)."""

    def __init__(self, policy: "str") -> "None":
        self.policy = {"no": "none", "yes": "all", "false": "none", "true": "all"}.get(str(policy).lower(), policy)

    def redirect_request(self, req: "Any", fp: "Any", code: "int", msg: "str", headers: "Any", newurl: "str") -> "Any":
        method = req.get_method()
        if self.policy == "none" or (self.policy == "safe" and method not in ("GET", "HEAD")):
            return None
        if self.policy in ("all", "safe"):
            new: "Any" = self._same_method(req, code, method, newurl)
        else:
            new = urllib.request.HTTPRedirectHandler.redirect_request(self, req, fp, code, msg, headers, newurl)
        if new is not None and urllib.parse.urlsplit(newurl).netloc != urllib.parse.urlsplit(req.full_url).netloc:
            for name in list(new.headers):
                if name.lower() in PRIVATE_HEADERS:  # another server must not see our login
                    del new.headers[name]
        return new

    @staticmethod
    def _same_method(req: "Any", code: "int", method: "str", newurl: "str") -> "urllib.request.Request":
        turns_get = (code == 303 and method != "HEAD") or (code in (301, 302) and method == "POST")
        keep_body = not turns_get
        headers = {name: value for name, value in req.headers.items()
                   if keep_body or name.lower() not in ("content-length", "content-type")}
        return urllib.request.Request(newurl.replace(" ", "%20"), data=req.data if keep_body else None, headers=headers,
                                      method="GET" if turns_get else method, unverifiable=True,
                                      origin_req_host=req.origin_req_host)

    http_error_308 = urllib.request.HTTPRedirectHandler.http_error_302


class UnixSocket(urllib.request.HTTPHandler):
    """Speaks HTTP through a unix socket, whatever host the URL names."""

    def __init__(self, path: "str") -> "None":
        urllib.request.HTTPHandler.__init__(self)
        self.path = path

    def http_open(self, req: "Any") -> "Any":
        path = self.path

        class Connection(http.client.HTTPConnection):
            def connect(self) -> "None":
                self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                self.sock.settimeout(self.timeout if isinstance(self.timeout, (int, float)) else None)
                self.sock.connect(path)

        return self.do_open(Connection, req)


def save(answer: "Answer", path: "str") -> "int":
    """Writes the answer's body to a new private file, piece by piece, and gives its size."""
    size = 0
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
            while True:
                piece = answer.stream.read(1 << 20)
                if not piece:
                    break
                size += len(piece)
                handle.write(piece)
    except (OSError, http.client.HTTPException, EOFError) as error:
        raise ModuleFailure("the download broke off after %d bytes: %s" % (size, error), status_code=answer.status)
    finally:
        answer.close()
    declared = answer.headers.get("Content-Length")
    if declared and declared.isdigit() and answer.stream is answer.raw and int(declared) != size:
        raise ModuleFailure("the download broke off: %d of %s bytes came" % (size, declared), status_code=answer.status)
    return size
