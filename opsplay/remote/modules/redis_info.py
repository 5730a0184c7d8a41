"""Ask a Redis server how it does: everything INFO says, with the hit ratio."""

import socket

from opsplay.remote.spec import Dictionary, Flag, Integer, ModuleFailure, Number, Path, Spec, Text

SPEC = Spec(
    args={
        "login_host": Text(default="localhost", aliases=("host",)),
        "login_port": Integer(default=6379, aliases=("port",)),
        "login_unix_socket": Path(aliases=("unix_socket",)),
        "login_user": Text(),
        "login_password": Text(secret=True),
        "tls": Flag(default=False),
        "validate_certs": Flag(default=True),
        "ca_certs": Path(),
        "timeout": Number(default=5.0),
    },
    returns={
        "info": Dictionary(text="INFO's fields; numbers are numbers."), "hit_ratio": Number(text="Percent of reads that found their key; none: null."),
        "used_memory": Integer(), "keys": Integer(text="In all databases."),
    },
    examples=("redis_info: {login_host: localhost}",),
)


def read(system, args):
    try:
        stream = _connect(args)
    except OSError as problem:
        raise ModuleFailure("unable to connect to Redis: %s" % problem)
    try:
        if args.login_password:
            _ask(stream, ["AUTH"] + ([args.login_user] if args.login_user else []) + [args.login_password])
        info = parse(_ask(stream, ["INFO", "everything"]))
    except (OSError, ValueError) as problem:
        raise ModuleFailure("Redis gave no answer: %s" % problem)
    finally:
        stream.close()
    hits, misses = info.get("keyspace_hits", 0), info.get("keyspace_misses", 0)
    ratio = round(100.0 * hits / (hits + misses), 2) if hits + misses else None
    databases = [value for name, value in info.items() if name.startswith("db") and isinstance(value, dict)]
    return {"info": info, "hit_ratio": ratio, "used_memory": info.get("used_memory", 0), "keys": sum(base.get("keys", 0) for base in databases)}


def _connect(args):
    if args.login_unix_socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(args.timeout)
        connection.connect(args.login_unix_socket)
    else:
        connection = socket.create_connection((args.login_host, args.login_port), args.timeout)
    if args.tls:
        import ssl
        context = ssl.create_default_context(cafile=args.ca_certs)
        if not args.validate_certs:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = context.wrap_socket(connection, server_hostname=args.login_host)
    return connection.makefile("rwb")


def _ask(stream, words):
    """One command in Redis' protocol; a status or a bulk string comes back."""
    parts = [word.encode("utf-8") for word in words]
    stream.write(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
    stream.flush()
    line = stream.readline(65536).rstrip(b"\r\n")
    if line.startswith(b"-"):
        raise ModuleFailure("Redis refused: %s" % line[1:].decode("utf-8", "replace"))
    if line.startswith(b"$"):
        size = int(line[1:])
        if not 0 <= size <= 16 << 20:
            raise ValueError("an answer of %d bytes" % size)
        return stream.read(size + 2)[:-2].decode("utf-8", "replace")
    if not line.startswith(b"+"):
        raise ValueError("%r is no answer of Redis" % line[:100])
    return line[1:].decode("utf-8", "replace")


def parse(text):
    info = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon and not line.startswith("#"):
            info[name] = _value(name, value)
    return info


def _value(name, value):
    if name.startswith("db") and "=" in value and name[2:].isdigit():
        return {key: _number(part) for key, _, part in (piece.partition("=") for piece in value.split(","))}
    return _number(value)


def _number(text):
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text
