"""Make, change or drop a user of a MySQL or MariaDB server, and its privileges."""

from opsplay.remote import mysql_grants
from opsplay.remote.mysql_login import is_mariadb, open_connection, version_of, with_login
from opsplay.remote.mysql_passwords import caching_sha2_fits, native_hash
from opsplay.remote.mysql_wire import ServerError, identifier
from opsplay.remote.spec import Choice, Dictionary, Flag, Integer, ModuleFailure, Raw, Spec, Text

SPEC = Spec(
    args=with_login({
        "name": Text(required=True, aliases=("user",), text="The user; empty: the anonymous one."),
        "host": Text(default="localhost", text="Where the user logs in from."),
        "host_all": Flag(default=False, text="The user of every host."),
        "password": Text(secret=True), "encrypted": Flag(default=False, text="The password is a hash already."),
        "update_password": Choice("always", "on_create", "on_new_username", default="always"),
        "priv": Raw(text="db.table:PRIVILEGES, several with / between, or a dict."),
        "append_privs": Flag(default=False, text="Besides those that the user has."), "subtract_privs": Flag(default=False, text="Take these away."),
        "plugin": Text(), "plugin_hash_string": Text(aliases=("plugin_auth_hash",)), "plugin_auth_string": Text(secret=True), "salt": Text(),
        "tls_requires": Dictionary(), "resource_limits": Dictionary(), "session_vars": Dictionary(), "attributes": Dictionary(),
        "password_expire": Choice("now", "never", "default", "interval"), "password_expire_interval": Integer(), "locked": Flag(),
        "state": Choice("absent", "present", default="present"), "check_implicit_admin": Flag(default=False), "sql_log_bin": Flag(default=True),
        "column_case_sensitive": Flag(default=True), "force_context": Flag(default=False),
    }),
    returns={"user": Text(), "msg": Text(), "password_changed": Flag()},
    examples=("mysql_user: {name: app, password: secret, priv: 'app.*:ALL'}",),
    exclusive=(("append_privs", "subtract_privs"),),
)


def act(system, args):
    connection = open_connection(system, args, "mysql" if args.force_context else "", implicit_admin=args.check_implicit_admin)
    try:
        return _User(system, connection, args).ensure()
    except ServerError as problem:
        raise ModuleFailure(str(problem))
    finally:
        connection.close()


class _User(object):
    """One user as asked for; statements are gathered, and run unless in check mode."""

    def __init__(self, system, connection, args):
        self.system = system
        self.connection = connection
        self.args = args
        self.statements = []
        self.password_changed = False

    def ensure(self):
        self._prepare()
        hosts = self._hosts()
        if self.args.state == "absent":
            for host in hosts:
                self._do("DROP USER %s" % self._account(host))
            return self._result("User deleted" if hosts else "User doesn't exist")
        if not hosts:
            self._create(self.args.host)
            return self._result("User added")
        for host in hosts:
            self._change(host)
        words = ["Password updated"] if self.password_changed else []
        return self._result(" ".join(words) or ("Privileges updated" if self.statements else "User unchanged"))

    def _prepare(self):
        if not self.args.sql_log_bin:
            self.connection.ask("SET SQL_LOG_BIN=0")
        for name, value in (self.args.session_vars or {}).items():
            self.connection.ask("SET SESSION %s = %s" % (identifier(name), self.connection.literal(value)))

    def _do(self, statement):
        self.statements.append(statement)
        if not self.system.check:
            self.connection.ask(statement)

    def _result(self, msg):
        changed = bool(self.statements)
        result = {"changed": changed, "user": self.args.name, "msg": msg, "password_changed": self.password_changed}
        if self.args.attributes is not None:
            result["attributes"] = self.args.attributes
        return result

    def _account(self, host):
        return "%s@%s" % (self.connection.literal(self.args.name), self.connection.literal(host))

    def _hosts(self):
        rows = self.connection.rows("SELECT Host FROM mysql.user WHERE User = %s" % self.connection.literal(self.args.name))
        found = [row["Host"] for row in rows]
        return found if self.args.host_all else [host for host in found if host.lower() == self.args.host.lower()]

    # -- a new one -----------------------------------------------------------------------------------------------

    def _create(self, host):
        args, account = self.args, self._account(host)
        identified = self._identified()
        if args.update_password == "on_new_username" and identified:
            identified = self._as_the_others() or identified
        self._do("CREATE USER %s%s%s" % (account, identified, self._requires()))
        self.password_changed = bool(identified)
        self._extras(account, None)
        if args.priv is not None and not args.subtract_privs:
            for place, privileges in mysql_grants.wanted_privileges(args.priv).items():
                if privileges - mysql_grants.NOTHING:
                    self._do(mysql_grants.grant_statement(place, privileges, account, ""))

    def _as_the_others(self):
        """IDENTIFIED as the same user of another host is."""
        rows = self.connection.rows("SELECT plugin, authentication_string AS hash FROM mysql.user WHERE User = %s" % self.connection.literal(self.args.name))
        if not rows:
            return ""
        return self._by_hash(rows[0]["plugin"] or "mysql_native_password", rows[0]["hash"])

    def _identified(self):
        args, literal = self.args, self.connection.literal
        if args.plugin:
            if args.plugin_hash_string:
                return self._by_hash(args.plugin, args.plugin_hash_string)
            if args.plugin_auth_string:
                word = "USING PASSWORD(%s)" if is_mariadb(self.connection) and args.plugin in ("ed25519", "mysql_native_password") else "BY %s"
                return " IDENTIFIED %s %s" % ("VIA " + args.plugin if is_mariadb(self.connection) else "WITH " + args.plugin, word % literal(args.plugin_auth_string))
            return " IDENTIFIED %s %s" % ("VIA" if is_mariadb(self.connection) else "WITH", args.plugin)
        if args.password is None:
            return ""
        if args.encrypted:
            return self._by_hash("mysql_native_password", args.password)
        return " IDENTIFIED BY %s" % literal(args.password)

    def _by_hash(self, plugin, text):
        if is_mariadb(self.connection):
            return " IDENTIFIED VIA %s USING %s" % (plugin, self.connection.literal(text))
        return " IDENTIFIED WITH %s AS %s" % (plugin, self.connection.literal(text))

    # -- one that is there ---------------------------------------------------------------------------------------

    def _change(self, host):
        account = self._account(host)
        if self._secret_differs(host):
            self._do("ALTER USER %s%s" % (account, self._identified()))
            self.password_changed = True
        self._extras(account, host)
        if self.args.priv is not None:
            self._change_privileges(account)

    def _secret_differs(self, host):
        args = self.args
        if args.update_password != "always" or not self._identified():
            return False
        where = "User = %s AND Host = %s" % (self.connection.literal(args.name), self.connection.literal(host))
        row = self.connection.rows("SELECT plugin, authentication_string AS hash FROM mysql.user WHERE %s" % where)[0]
        if args.plugin:
            if row["plugin"] != args.plugin:
                return True
            if args.plugin_hash_string:
                return row["hash"] != args.plugin_hash_string
            return bool(args.plugin_auth_string) and not self._fits(row, args.plugin_auth_string)
        if args.encrypted:
            return row["hash"] != args.password
        return not self._fits(row, args.password)

    def _fits(self, row, password):
        if row["plugin"] == "caching_sha2_password":
            return caching_sha2_fits(password, row["hash"])
        return row["plugin"] in ("mysql_native_password", "") and row["hash"] == native_hash(password)

    def _change_privileges(self, account):
        args = self.args
        wanted = mysql_grants.wanted_privileges(args.priv, append_usage=not args.subtract_privs)
        current = mysql_grants.current_privileges(self.connection.rows("SHOW GRANTS FOR %s" % account))
        revoke, grant = mysql_grants.changes(current, wanted, args.append_privs, args.subtract_privs, self._everything(wanted))
        for place, privileges in revoke:
            self._do(mysql_grants.revoke_statement(place, privileges, account))
        for place, privileges in grant:
            self._do(mysql_grants.grant_statement(place, privileges, account, ""))

    def _everything(self, wanted):
        """What ALL on *.* stands for on a server that lists it one by one (MySQL 8)."""
        if is_mariadb(self.connection) or "ALL" not in wanted.get("*.*", ()) or version_of(self.connection) < (8, 0, 0):
            return frozenset()
        rows = self.connection.rows("SHOW PRIVILEGES")
        return frozenset(row["Privilege"].upper() for row in rows if "_" not in row["Privilege"]) - frozenset(["GRANT OPTION", "PROXY", "USAGE"])

    # -- the rest ------------------------------------------------------------------------------------------------

    def _requires(self):
        """REQUIRE ... of tls_requires: {SSL: null}, {X509: null}, or CIPHER, ISSUER and SUBJECT."""
        needs = self.args.tls_requires
        if needs is None:
            return ""
        words = {str(name).upper(): value for name, value in needs.items()}
        plain = [name for name in ("SSL", "X509", "NONE") if name in words]
        told = plain or ["%s %s" % (name, self.connection.literal(value)) for name, value in sorted(words.items())]
        return " REQUIRE %s" % (" AND ".join(told) or "NONE")

    def _extras(self, account, host):
        """tls_requires, resource limits, expiry and lock, where they are others than now; a new user has none of them."""
        args, now = self.args, self._now(account) if host is not None else ""
        if host is not None and args.tls_requires is not None and self._requires().strip() not in (now_requires(now), "REQUIRE NONE" if not now_requires(now) else ""):
            self._do("ALTER USER %s%s" % (account, self._requires()))
        if args.resource_limits:
            told = ["%s %d" % (name.upper(), int(value)) for name, value in sorted(args.resource_limits.items())]
            if not all(word in now for word in told):
                self._do("ALTER USER %s WITH %s" % (account, " ".join(told)))
        if args.password_expire and (host is None or args.password_expire != "now"):
            told = {"now": "", "never": " NEVER", "default": " DEFAULT", "interval": " INTERVAL %s DAY" % args.password_expire_interval}[args.password_expire]
            if (told and told not in " " + now.partition("PASSWORD EXPIRE")[2] and not (args.password_expire == "default" and "PASSWORD EXPIRE" not in now)) or not told:
                self._do("ALTER USER %s PASSWORD EXPIRE%s" % (account, told))
        if args.locked is not None and args.locked != ("ACCOUNT LOCK" in now):
            self._do("ALTER USER %s ACCOUNT %s" % (account, "LOCK" if args.locked else "UNLOCK"))

    def _now(self, account):
        try:
            rows = self.connection.rows("SHOW CREATE USER %s" % account)
        except ServerError:
            return ""
        return list(rows[0].values())[0] if rows else ""


def now_requires(text):
    """REQUIRE SSL, as SHOW CREATE USER tells it."""
    _, word, rest = text.partition("REQUIRE ")
    for end in (" WITH ", " PASSWORD ", " ACCOUNT "):
        rest = rest.partition(end)[0]
    rest = rest.strip()
    return "" if not word or rest == "NONE" else "REQUIRE " + rest
