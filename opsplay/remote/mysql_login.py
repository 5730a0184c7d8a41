"""How a mysql_* module logs in: its arguments, the user's option file, the server's socket."""

import os

from opsplay.remote.mysql_wire import ServerError, connect, tls_context
from opsplay.remote.spec import Flag, Integer, ModuleFailure, Path, Text

SOCKETS = ("/run/mysqld/mysqld.sock", "/var/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock")


def with_login(args):
    """The arguments of a module with those of the login."""
    return dict({
        "login_user": Text(text="Whom to log in as; else what the option file says, else whoever runs this."),
        "login_password": Text(secret=True),
        "login_host": Text(default="localhost"),
        "login_port": Integer(default=3306),
        "login_unix_socket": Path(text="The server's socket file; on localhost the usual places are tried first."),
        "config_file": Path(default="~/.my.cnf", text="An option file; its [client] section counts."),
        "connect_timeout": Integer(default=30),
        "ca_cert": Path(aliases=("ssl_ca",)), "client_cert": Path(aliases=("ssl_cert",)), "client_key": Path(aliases=("ssl_key",)),
        "check_hostname": Flag(),
    }, **args)


def open_connection(system, args, database="", implicit_admin=False):
    """A Connection. ModuleFailure in Ansible's words where nobody answers or the login is refused."""
    options = client_options(system, args.config_file)
    if implicit_admin:
        try:
            return _attempt(system, args, dict(options, user="root", password=""), database, login=False)
        except (OSError, ServerError):
            pass
    try:
        return _attempt(system, args, options, database, login=True)
    except (OSError, ServerError, ValueError) as problem:
        raise ModuleFailure(
            "unable to connect to database, check login_user and login_password are correct or %s has the credentials. "
            "Exception message: %s" % (args.config_file, problem))


def _attempt(system, args, options, database, login):
    user = (args.login_user if login else None) or options.get("user") or _me()
    password = args.login_password if login and args.login_password is not None else options.get("password", "")
    host = options["host"] if args.login_host == "localhost" and options.get("host") else args.login_host
    port = int(options["port"]) if args.login_port == 3306 and options.get("port") else args.login_port
    authority = args.ca_cert or options.get("ssl-ca")
    certificate = args.client_cert or options.get("ssl-cert")
    tls = tls_context(authority, certificate, args.client_key or options.get("ssl-key"), args.check_hostname) if authority or certificate else None
    path = args.login_unix_socket or options.get("socket") or (_usual_socket(system) if host == "localhost" and port == 3306 else "")
    return connect(user, password, host, port, path, database, args.connect_timeout, tls)


def _usual_socket(system):
    return next((path for path in SOCKETS if system.stat(path) is not None), "")


def _me():
    import pwd
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return "root"


def client_options(system, path):
    """The [client] section of an option file; nothing where there is none."""
    if not path or system.stat(path) is None:
        return {}
    try:
        text = system.read_text(path)
    except OSError:
        return {}
    found, inside = {}, False
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("["):
            inside = line == "[client]"
        elif inside and line and line[0] not in "#;!":
            name, _, value = line.partition("=")
            found[name.strip().replace("_", "-")] = unquoted(value.strip())
    return found


def unquoted(value):
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value


def is_mariadb(connection):
    return "mariadb" in connection.version.lower()


def version_of(connection):
    """(10, 11, 6) of 5.5.5-10.11.6-MariaDB."""
    text = connection.version[6:] if connection.version.startswith("5.5.5-") else connection.version
    numbers = [int(part) for part in text.split("-")[0].split(".") if part.isdigit()]
    return tuple((numbers + [0, 0, 0])[:3])
