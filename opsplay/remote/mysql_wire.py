"""MySQL and MariaDB's protocol: one connection, its login and statements in text form. Needs no driver on the host."""

import hashlib
import socket
import ssl
import struct

CAPABILITIES = 0x1 | 0x2 | 0x4 | 0x200 | 0x2000 | 0x8000 | 0x10000 | 0x20000 | 0x80000  # long password .. plugin auth
WITH_DATABASE, WITH_TLS = 0x8, 0x800
UTF8MB4 = 45
NO_BACKSLASHES = 0x200  # of the server's status: a backslash is a plain character
MORE_RESULTS = 0x8
INTEGERS = frozenset([1, 2, 3, 8, 9, 13])
FLOATS = frozenset([4, 5])
CHUNK = 0xFFFFFF


class ServerError(Exception):
    """What the server says against a login or a statement."""

    def __init__(self, code, message):
        super(ServerError, self).__init__("(%d, %r)" % (code, message))
        self.code = code


class Answer(object):
    """The rows of a statement as dicts, or none, and how many rows it touched."""

    def __init__(self, rows, touched, warnings):
        self.rows = rows
        self.touched = touched
        self.warnings = warnings


class Connection(object):
    """A logged in connection. Raises ServerError, OSError."""

    def __init__(self, stream, user, password, database="", tls=None, hostname=""):
        self._stream = stream
        self._file = stream.makefile("rb")
        self._number = 0
        self.status = 0
        self.version = ""
        self.secure = stream.family == getattr(socket, "AF_UNIX", -1)
        self._log_in(user, password or "", database or "", tls, hostname)

    def close(self):
        try:
            self._number = 0
            self._send(b"\x01")
            self._file.close()
            self._stream.close()
        except OSError:
            pass

    # -- packets -------------------------------------------------------------------------------------------------

    def _receive(self):
        body = b""
        while True:
            head = self._read(4)
            size = head[0] | head[1] << 8 | head[2] << 16
            self._number = (head[3] + 1) & 255
            body += self._read(size)
            if size < CHUNK:
                break
        if body[:1] == b"\xff":
            raise server_error(body)
        return body

    def _read(self, size):
        found = self._file.read(size)
        if len(found) < size:
            raise ServerError(2013, "Lost connection to MySQL server during query")
        return found

    def _send(self, body):
        for start in range(0, len(body) + 1, CHUNK):
            part = body[start:start + CHUNK]
            self._stream.sendall(struct.pack("<I", len(part))[:3] + bytes([self._number]) + part)
            self._number = (self._number + 1) & 255

    # -- login ---------------------------------------------------------------------------------------------------

    def _log_in(self, user, password, database, tls, hostname):
        scramble, plugin, offered = self._greeting(self._receive())
        flags = CAPABILITIES | (WITH_DATABASE if database else 0)
        if tls is not None:
            if not offered & WITH_TLS:
                raise ServerError(2026, "SSL connection error: the server does not offer it")
            self._send(struct.pack("<IIB23x", flags | WITH_TLS, CHUNK, UTF8MB4))
            self._file.close()
            self._stream = tls.wrap_socket(self._stream, server_hostname=hostname or None)
            self._file = self._stream.makefile("rb")
            self.secure = True
            flags |= WITH_TLS
        if plugin not in PROOFS:
            plugin = "mysql_native_password"
        proof = PROOFS[plugin](password, scramble)
        self._send(struct.pack("<IIB23x", flags, CHUNK, UTF8MB4) + user.encode("utf-8") + b"\0" + bytes([len(proof)]) + proof
                   + (database.encode("utf-8") + b"\0" if database else b"") + plugin.encode("ascii") + b"\0")
        self._finish_login(password, scramble, plugin)

    def _greeting(self, body):
        """(scramble, plugin, capabilities)"""
        end = body.index(b"\0", 1)
        self.version = body[1:end].decode("utf-8", "replace")
        rest = body[end + 1:]
        low, = struct.unpack("<H", rest[13:15])
        self.status, high, size = struct.unpack("<HHB", rest[16:21])
        second = rest[31:31 + max(13, size - 8)]
        plugin = rest[31 + max(13, size - 8):].split(b"\0", 1)[0].decode("ascii", "replace")
        return rest[4:12] + second.rstrip(b"\0"), plugin, low | high << 16

    def _finish_login(self, password, scramble, plugin):
        while True:
            body = self._receive()
            if body[:1] == b"\x00":
                self._note_ok(body)
                return
            if body[:1] == b"\xfe":
                name, _, data = body[1:].partition(b"\0")
                plugin, scramble = name.decode("ascii", "replace"), data.rstrip(b"\0")
                self._send(self._switched(plugin, password, scramble))
            elif body == b"\x01\x04":
                self._full_login(password, scramble)
            elif body != b"\x01\x03":
                raise ServerError(2059, "Authentication plugin '%s' is not known here" % plugin)

    def _switched(self, plugin, password, scramble):
        if plugin in PROOFS:
            return PROOFS[plugin](password, scramble)
        if plugin == "mysql_clear_password" and self.secure:
            return password.encode("utf-8") + b"\0"
        if plugin in ("auth_socket", "unix_socket"):
            return b""
        raise ServerError(2059, "Authentication plugin '%s' is not known here" % plugin)

    def _full_login(self, password, scramble):
        """The server does not know the password's short proof yet: it wants it as it is, over a connection nobody reads."""
        plain = password.encode("utf-8") + b"\0"
        if not self.secure:
            self._send(b"\x02")
            key = self._receive()[1:]
            plain = rsa_oaep(key, bytes(one ^ scramble[at % len(scramble)] for at, one in enumerate(plain)))
        self._send(plain)

    # -- statements ----------------------------------------------------------------------------------------------

    def ask(self, statement):
        """The Answer to one statement; of several in one text, the last one's."""
        self._number = 0
        self._send(b"\x03" + statement.encode("utf-8", "surrogateescape"))
        answer = self._answer()
        while self.status & MORE_RESULTS:
            answer = self._answer()
        return answer

    def rows(self, statement):
        return self.ask(statement).rows or []

    def _answer(self):
        head = self._receive()
        if head[:1] == b"\x00":
            return self._note_ok(head)
        if head[:1] == b"\xfb":
            raise ServerError(4166, "LOAD DATA LOCAL is not done here")
        columns = [column(self._receive()) for _ in range(length_of(head, 0)[0])]
        self._receive()  # the end of the columns
        rows = []
        while True:
            body = self._receive()
            if body[:1] == b"\xfe" and len(body) < 9:
                warnings, self.status = struct.unpack("<HH", body[1:5])
                return Answer(rows, len(rows), warnings)
            rows.append(row(body, columns))

    def _note_ok(self, body):
        touched, at = length_of(body, 1)
        _, at = length_of(body, at)
        self.status, warnings = struct.unpack("<HH", body[at:at + 4])
        return Answer(None, touched, warnings)

    def literal(self, value):
        """A value as it stands in a statement."""
        if value is None:
            return "NULL"
        if isinstance(value, bool):
            return "1" if value else "0"
        if isinstance(value, (int, float)):
            return repr(value)
        text = str(value).replace("'", "''")
        if not self.status & NO_BACKSLASHES:
            text = text.replace("\\", "\\\\").replace("\0", "\\0")
        return "'" + text + "'"


def identifier(name):
    return "`" + name.replace("`", "``") + "`"


def server_error(body):
    code, = struct.unpack("<H", body[1:3])
    return ServerError(code, (body[9:] if body[3:4] == b"#" else body[3:]).decode("utf-8", "replace"))


def length_of(body, at):
    """(number, place after it) of a length-encoded number."""
    first = body[at]
    if first < 0xFB:
        return first, at + 1
    size = {0xFC: 2, 0xFD: 3, 0xFE: 8}[first]
    return int.from_bytes(body[at + 1:at + 1 + size], "little"), at + 1 + size


def column(body):
    """(name, type) of a column's definition."""
    at = 0
    for _ in range(4):
        size, at = length_of(body, at)
        at += size
    size, at = length_of(body, at)
    name = body[at:at + size].decode("utf-8", "replace")
    size, at = length_of(body, at + size)
    return name, body[at + size + 1 + 2 + 4]


def row(body, columns):
    found, at = {}, 0
    for name, kind in columns:
        if body[at] == 0xFB:
            found[name] = None
            at += 1
            continue
        size, at = length_of(body, at)
        found[name] = typed(body[at:at + size], kind)
        at += size
    return found


def typed(data, kind):
    if kind in INTEGERS:
        return int(data)
    if kind in FLOATS:
        return float(data)
    return data.decode("utf-8", "replace")


# -- proofs of a password --------------------------------------------------------------------------------------------


def native_proof(password, scramble):
    if not password:
        return b""
    once = hashlib.sha1(password.encode("utf-8")).digest()
    salted = hashlib.sha1(scramble[:20] + hashlib.sha1(once).digest()).digest()
    return bytes(one ^ other for one, other in zip(once, salted))


def sha2_proof(password, scramble):
    if not password:
        return b""
    once = hashlib.sha256(password.encode("utf-8")).digest()
    salted = hashlib.sha256(hashlib.sha256(once).digest() + scramble[:20]).digest()
    return bytes(one ^ other for one, other in zip(once, salted))


PROOFS = {"mysql_native_password": native_proof, "caching_sha2_password": sha2_proof}


def rsa_oaep(pem, message):
    """The message for the owner of the public key, by PKCS #1 OAEP with SHA-1, as the server expects it."""
    import os

    modulus, exponent = public_numbers(pem)
    size = (modulus.bit_length() + 7) // 8
    empty = hashlib.sha1(b"").digest()
    block = empty + b"\0" * (size - len(message) - 2 * len(empty) - 2) + b"\x01" + message
    seed = os.urandom(len(empty))
    masked = xor(block, mask(seed, len(block)))
    whole = b"\0" + xor(seed, mask(masked, len(seed))) + masked
    return pow(int.from_bytes(whole, "big"), exponent, modulus).to_bytes(size, "big")


def mask(seed, size):
    made = b""
    for counter in range(size // 20 + 1):
        made += hashlib.sha1(seed + struct.pack(">I", counter)).digest()
    return made[:size]


def xor(one, other):
    return bytes(a ^ b for a, b in zip(one, other))


def public_numbers(pem):
    """(modulus, exponent) of a PEM public key: the last two INTEGERs in its DER."""
    import base64

    lines = [line for line in pem.decode("ascii", "replace").splitlines() if line and not line.startswith("-")]
    numbers = integers_in(base64.b64decode("".join(lines)))
    return numbers[-2], numbers[-1]


def integers_in(data):
    found, at = [], 0
    while at + 1 < len(data):
        tag, size, at = data[at], data[at + 1], at + 2
        if size & 0x80:
            width = size & 0x7F
            size, at = int.from_bytes(data[at:at + width], "big"), at + width
        inner = data[at:at + size]
        if tag == 0x02:
            found.append(int.from_bytes(inner, "big"))
        elif tag == 0x30:
            found += integers_in(inner)
        elif tag == 0x03:
            found += integers_in(inner[1:])
        at += size
    return found


def connect(user, password, host="localhost", port=3306, path="", database="", timeout=30, tls=None):
    """A Connection by the socket file, else over TCP."""
    if path:
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        stream.settimeout(timeout or None)
        try:
            stream.connect(path)
        except OSError:
            stream.close()
            raise
    else:
        stream = socket.create_connection((host, port), timeout or None)
    try:
        stream.settimeout(timeout or None)
        made = Connection(stream, user, password, database, None if path else tls, host)
        stream.settimeout(None)
        return made
    except BaseException:
        stream.close()
        raise


def tls_context(authority="", certificate="", key="", check_hostname=False):
    context = ssl.create_default_context(cafile=authority or None)
    context.check_hostname = bool(check_hostname)
    if not authority:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(certificate, key or None)
    return context
