"""The actions that keep something as it should be: predicted, done, and done once."""

from __future__ import annotations

from typing import Any

import pytest

from opsplay.postgres import passwords, setting_values


def once(database: Any, action: str, /, **arguments: Any) -> dict[str, Any]:
    """Check mode foresees it and changes nothing; the run does it; a second run finds nothing to do."""
    seen, done, again = (database.act(action, check=check, **arguments) for check in (True, False, False))
    assert not done.get("failed"), done
    assert (seen["changed"], done["changed"], again["changed"]) == (True, True, False), (seen, done, again)
    return dict(done)


def test_databases(database: Any) -> None:
    name = f"{database.name}_made"
    once(database, "postgresql_db", name=name, encoding="UTF-8", comment="it's")
    assert once(database, "postgresql_db", name=name, conn_limit="5")["executed_commands"] == [f'ALTER DATABASE "{name}" CONNECTION LIMIT 5']
    assert "not possible" in database.act("postgresql_db", name=name, encoding="LATIN1")["msg"]
    once(database, "postgresql_db", name=name, state="rename", target=name + "2")
    once(database, "postgresql_db", name=name + "2", state="absent")


def test_roles_and_passwords(database: Any) -> None:
    name = f"role_{database.name}"
    made = once(database, "postgresql_user", name=name, password="geheim 'x'", role_attr_flags="CREATEDB,NOLOGIN", conn_limit=3,
                expires="2030-01-01", comment="c", configuration={"work_mem": "8MB"})
    assert "geheim" not in str(made)
    assert database.act("postgresql_user", name=name, password="other")["changed"]
    assert not database.act("postgresql_user", name=name, password="other")["changed"]
    assert not database.act("postgresql_user", name=name, password="new", no_password_changes=True)["changed"]
    assert database.act("postgresql_user", name=name, role_attr_flags="SUPERHERO")["failed"]
    assert database.run(f"SELECT rolcreatedb, rolcanlogin, rolconnlimit FROM pg_roles WHERE rolname = '{name}'") == [(True, False, 3)]
    database.run(f"CREATE TABLE owned (a int); ALTER TABLE owned OWNER TO {name}")
    assert "still owns" in database.act("postgresql_user", name=name, state="absent")["msg"]
    assert not database.act("postgresql_user", name=name, state="absent", fail_on_user=False)["changed"]
    database.run("DROP TABLE owned")
    once(database, "postgresql_user", name=name, state="absent")


def test_extensions_and_schemas(database: Any) -> None:
    once(database, "postgresql_schema", name="billing")
    once(database, "postgresql_ext", name="pg_trgm", schema="billing")
    once(database, "postgresql_ext", name="pg_trgm", schema="public")
    once(database, "postgresql_ext", name="pg_trgm", state="absent")
    assert "not available" in database.act("postgresql_ext", name="no_such_thing")["msg"]
    once(database, "postgresql_schema", name="billing", state="absent", cascade_drop=True)


def test_privileges(database: Any) -> None:
    name = f"reader_{database.name}"
    database.run(f"CREATE ROLE {name}", f"CREATE ROLE {name}_group", "CREATE TABLE t (a int, b int)", "CREATE SEQUENCE s",
                 "CREATE FUNCTION f(a int, b text) RETURNS int LANGUAGE sql AS 'SELECT 1'", "REVOKE ALL ON FUNCTION f FROM PUBLIC")
    try:
        for arguments in ({"privs": "SELECT,INSERT", "objs": "t"}, {"privs": "SELECT", "objs": "ALL_IN_SCHEMA", "type": "sequence"},
                          {"privs": "UPDATE (a, b)", "objs": "t"}, {"privs": "CONNECT", "type": "database", "objs": database.name},
                          {"privs": "CREATE", "type": "schema", "objs": "public"}, {"privs": "EXECUTE", "type": "function", "objs": "f(int:text)"},
                          {"privs": "SELECT", "type": "default_privs", "objs": "TABLES"}, {"type": "group", "objs": f"{name}_group"},
                          {"privs": "INSERT", "objs": "t", "state": "absent"}):
            once(database, "postgresql_privs", roles=name, **arguments)
        assert database.value(f"SELECT has_table_privilege('{name}', 't', 'SELECT') AND NOT has_table_privilege('{name}', 't', 'INSERT')")
        assert database.act("postgresql_privs", roles="nobody_here", privs="SELECT", objs="t")["failed"]
        assert database.act("postgresql_privs", roles=name, privs="SELECT; DROP TABLE t", objs="t")["failed"]
    finally:
        database.run(f"DROP OWNED BY {name}", f"DROP ROLE {name}", f"DROP ROLE {name}_group")


def test_settings(database: Any) -> None:
    try:
        done = once(database, "postgresql_set", name="work_mem", value="128MB", reload=True)
        assert done["prev_val_pretty"] == "4MB" and done["value_pretty"] == "128MB" and not done["restart_required"]
        assert not database.act("postgresql_setting", name="work_mem", value="131072kB")["changed"]
        assert once(database, "postgresql_set", name="max_connections", value="50")["restart_required"]
        once(database, "postgresql_set", name="log_line_prefix", value="%t it's ")
        once(database, "postgresql_set", name="work_mem", reset=True, reload=True)
        assert database.act("postgresql_set", name="work_memm", value="1")["failed"]
        assert database.act("postgresql_set", name="server_version", value="1")["failed"]
    finally:
        database.run("ALTER SYSTEM RESET ALL", "SELECT pg_reload_conf()")


@pytest.mark.parametrize("one, other, kind, unit", [
    ("131072", "128MB", "integer", "kB"), ("16384", "128MB", "integer", "8kB"), ("1800000", "30min", "integer", "ms"), ("on", "true", "bool", None),
    ("0.5", "0.50", "real", None), ("-1", "-1", "integer", "kB"),
])
def test_values_are_compared_as_the_server_means_them(one: str, other: str, kind: str, unit: str | None) -> None:
    assert setting_values.same(one, other, kind, unit)
    assert not setting_values.same(one, "77", kind, unit)


def test_verifiers(server: Any) -> None:
    stored = passwords.verifier("pässword")
    assert passwords.matches(stored, "pässword", "x") and not passwords.matches(stored, "password", "x")
    assert passwords.matches("md5" + __import__("hashlib").md5(b"secretbob").hexdigest(), "secret", "bob")
    server.run("CREATE ROLE scrammy LOGIN PASSWORD 'abc'")
    [(by_server,)] = server.run("SELECT rolpassword FROM pg_authid WHERE rolname = 'scrammy'")
    assert passwords.matches(by_server, "abc", "scrammy")
    server.run("DROP ROLE scrammy")
