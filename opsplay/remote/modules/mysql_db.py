"""Make or drop databases of a MySQL or MariaDB server; dump and load them by the server's own programs."""

import os

from opsplay.remote.mysql_login import client_options, open_connection, with_login
from opsplay.remote.mysql_wire import ServerError, identifier
from opsplay.remote.spec import Choice, Flag, Integer, Listing, ModuleFailure, Path, Spec, Text

SPEC = Spec(
    args=with_login({
        "name": Listing(required=True, aliases=("db",), text="The databases; `all` for a dump or an import of everything."),
        "state": Choice("absent", "dump", "import", "present", default="present"),
        "collation": Text(default="", text="For a database that is made."), "encoding": Text(default="", text="For a database that is made."),
        "target": Path(text="The file to dump to or to import; .gz, .bz2, .xz and .zst are packed and unpacked."),
        "single_transaction": Flag(default=False), "quick": Flag(default=True), "ignore_tables": Listing(default=[]), "hex_blob": Flag(default=False),
        "force": Flag(default=False, text="Go on after an SQL error."), "master_data": Integer(choices=(0, 1, 2), default=0),
        "skip_lock_tables": Flag(default=False), "dump_extra_args": Text(), "use_shell": Flag(default=False), "unsafe_login_password": Flag(default=False),
        "restrict_config_file": Flag(default=False), "check_implicit_admin": Flag(default=False), "config_overrides_defaults": Flag(default=False),
        "chdir": Path(), "pipefail": Flag(default=False), "sql_log_bin": Flag(default=True),
    }),
    returns={"db": Text(), "db_list": Listing(), "executed_commands": Listing()},
    examples=("mysql_db: {name: app, encoding: utf8mb4}",),
    required_if=(("state", "dump", ("target",)), ("state", "import", ("target",))),
    notes=("state: dump and state: import always change; check mode tells so without doing it.",),
)
PACKERS = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd"}


def act(system, args):
    names = [name.strip() for name in args.name]
    if not any(names):
        raise ModuleFailure("Please provide at least one database name")
    if args.state in ("absent", "present") and "all" in names:
        raise ModuleFailure("name=all is not supported for state=%s" % args.state)
    connection = open_connection(system, args, implicit_admin=args.check_implicit_admin)
    try:
        return _ensure(system, args, connection, names)
    except ServerError as problem:
        raise ModuleFailure("error %s database: %s" % ("deleting" if args.state == "absent" else "creating", problem))
    finally:
        connection.close()


def _ensure(system, args, connection, names):
    there = set(list(row.values())[0] for row in connection.rows("SHOW DATABASES"))
    result = {"db": " ".join(names), "db_list": names, "changed": False, "executed_commands": []}
    if args.state in ("dump", "import"):
        return _move(system, args, names, there, result)
    todo = [name for name in names if (name in there) is (args.state == "absent")]
    statements = [_statement(connection, args, name) for name in todo]
    if not system.check:
        if not args.sql_log_bin:
            connection.ask("SET SQL_LOG_BIN=0")
        for statement in statements:
            connection.ask(statement)
    result.update(changed=bool(todo), executed_commands=statements)
    if system.diff and todo:
        before, after = (names[:0], todo) if args.state == "present" else (todo, names[:0])
        result["diff"] = {"before": "".join(name + "\n" for name in before), "after": "".join(name + "\n" for name in after)}
    return result


def _statement(connection, args, name):
    if args.state == "absent":
        return "DROP DATABASE %s" % identifier(name)
    made = "CREATE DATABASE %s" % identifier(name)
    made += " CHARACTER SET %s" % connection.literal(args.encoding) if args.encoding else ""
    return made + (" COLLATE %s" % connection.literal(args.collation) if args.collation else "")


def _move(system, args, names, there, result):
    """A dump or an import: the programs read the password from the environment, never from the command line."""
    missing = [name for name in names if name != "all" and name not in there]
    if missing and args.state == "dump":
        raise ModuleFailure("Cannot dump database(s) %s - not found" % ", ".join(repr(name) for name in missing))
    if args.state == "import" and len(names) > 1:
        raise ModuleFailure("Multiple databases are not supported with state=import; import `all`, or one after the other")
    result["changed"] = True
    words = _dump_words(system, args, names) if args.state == "dump" else _import_words(system, args, names)
    result["executed_commands"] = ["CREATE DATABASE %s" % identifier(name) for name in missing] + [words]
    if system.check:
        return result
    if missing:
        connection = open_connection(system, args)
        try:
            for name in missing:
                connection.ask(_statement(connection, args, name))
        finally:
            connection.close()
    run = system.run(["/bin/sh", "-c", words], cwd=args.chdir, environment=_password(system, args))
    if run.rc != 0:
        raise ModuleFailure(run.stderr.strip() or "%s failed" % args.state, rc=run.rc, stdout=run.stdout, stderr=run.stderr, executed_commands=result["executed_commands"])
    return dict(result, msg=run.stdout)


def _password(system, args):
    options = client_options(system, args.config_file)
    password = args.login_password if args.login_password is not None else options.get("password")
    return {"MYSQL_PWD": password} if password is not None else {}


def _program(system, *names):
    found = next((path for path in map(system.which, names) if path), None)
    if found is None:
        raise ModuleFailure("Failed to find required executable %s" % " or ".join(names))
    return found


def _login_words(args):
    """The options of the login, quoted for a shell; what the option file says is read by the program itself."""
    words = []
    if args.config_file and os.path.exists(args.config_file):
        words.append("--defaults-%s=%s" % ("file" if args.restrict_config_file else "extra-file", quoted(args.config_file)))
    if args.login_user is not None:
        words.append("--user=%s" % quoted(args.login_user))
    for option, value in (("ssl-ca", args.ca_cert), ("ssl-cert", args.client_cert), ("ssl-key", args.client_key)):
        if value:
            words.append("--%s=%s" % (option, quoted(value)))
    if args.login_unix_socket:
        return words + ["--socket=%s" % quoted(args.login_unix_socket)]
    if args.login_host == "localhost" and args.login_port == 3306:
        return words
    return words + ["--host=%s" % quoted(args.login_host), "--port=%d" % args.login_port]


def _dump_words(system, args, names):
    words = [_program(system, "mysqldump", "mariadb-dump")] + _login_words(args)
    words += ["--all-databases"] if "all" in names else ["--databases"] + [quoted(name) for name in names] if len(names) > 1 else [quoted(names[0])]
    for wanted, flag in ((args.force, "--force"), (args.skip_lock_tables, "--skip-lock-tables"), (args.single_transaction, "--single-transaction=true"),
                         (args.quick, "--quick"), (args.hex_blob, "--hex-blob"), (args.master_data, "--master-data=%d" % args.master_data)):
        if wanted:
            words.append(flag)
    words += ["--ignore-table=%s" % quoted(table) for table in args.ignore_tables] + ([args.dump_extra_args] if args.dump_extra_args else [])
    packer = PACKERS.get(os.path.splitext(args.target)[1])
    if packer is None:
        return "%s > %s" % (" ".join(words), quoted(args.target))
    # A pipe's own end is its last program's: the dump's failure has to be carried past the packer.
    made = "{ %s || echo failed >&3; } | %s > %s" % (" ".join(words), quoted(_program(system, packer)), quoted(args.target))
    return 'failed=$( { %s; } 3>&1 ) && test -z "$failed"' % made


def _import_words(system, args, names):
    if not os.path.exists(os.path.join(args.chdir or "/", args.target)):
        raise ModuleFailure("target %s does not exist on the host" % args.target)
    words = [_program(system, "mysql", "mariadb")] + _login_words(args)
    words += (["-f"] if args.force else []) + ([] if "all" in names else ["--one-database", quoted(names[0])])
    packer = PACKERS.get(os.path.splitext(args.target)[1])
    if packer is None:
        return "%s < %s" % (" ".join(words), quoted(args.target))
    return "%s -dc %s | %s" % (quoted(_program(system, packer)), quoted(args.target), " ".join(words))


def quoted(text):
    return "'" + str(text).replace("'", "'\"'\"'") + "'"
