"""mysql_* against a real MariaDB: made, found as it is, changed, taken away; dumps that come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsplay.remote.mysql_wire import Connection, ServerError, connect
from tests.mysql.conftest import Ask


def grants(root: Connection, account: str) -> list[str]:
    return [str(next(iter(row.values()))) for row in root.rows(f"SHOW GRANTS FOR {account}")]


def test_database_comes_and_goes(proved: Ask, root: Connection) -> None:
    made = proved("mysql_db", {"name": "shop,shop-2", "encoding": "utf8mb4", "collation": "utf8mb4_bin"})
    assert made["db_list"] == ["shop", "shop-2"] and len(made["executed_commands"]) == 2
    assert root.rows("SELECT default_collation_name AS c FROM information_schema.schemata WHERE schema_name = 'shop-2'") == [{"c": "utf8mb4_bin"}]
    proved("mysql_db", {"name": ["shop", "shop-2"], "state": "absent"})
    assert "shop" not in [row["Database"] for row in root.rows("SHOW DATABASES")]


@pytest.mark.parametrize("ending", ["sql", "sql.gz", "sql.xz"])
def test_a_dump_comes_back(ask: Ask, root: Connection, tmp_path: Path, ending: str) -> None:
    ask("mysql_db", {"name": "kept"})
    root.ask("CREATE TABLE kept.t (word TEXT)")
    root.ask("INSERT INTO kept.t VALUES ('it''s \u00fcber')")
    target = tmp_path / f"it's a dump.{ending}"
    assert ask("mysql_db", {"name": "kept", "state": "dump", "target": str(target)}, check=True)["changed"] and not target.exists()
    assert ask("mysql_db", {"name": "kept", "state": "dump", "target": str(target)})["changed"]
    ask("mysql_db", {"name": "kept", "state": "absent"})
    back = ask("mysql_db", {"name": "kept", "state": "import", "target": str(target)})
    assert back["changed"] and root.rows("SELECT word FROM kept.t") == [{"word": "it's \u00fcber"}], back
    ask("mysql_db", {"name": "kept", "state": "absent"})


def test_a_failed_dump_is_a_failure_also_behind_gzip(ask: Ask, tmp_path: Path) -> None:
    failed = ask("mysql_db", {"name": "none-such", "state": "dump", "target": str(tmp_path / "x.sql.gz")})
    assert failed["failed"] and "none-such" in failed["msg"]


def test_user_with_privileges(proved: Ask, ask: Ask, root: Connection, server: Path) -> None:
    asked = {"name": "amy", "password": "it's \\ \u00fc", "priv": "shop_1.*:SELECT,insert,GRANT/other.t:SELECT (b, a)"}
    root.ask("CREATE DATABASE IF NOT EXISTS other")
    root.ask("CREATE TABLE IF NOT EXISTS other.t (a INT, b INT)")
    assert proved("mysql_user", asked)["msg"] == "User added"
    connect("amy", str(asked["password"]), path=str(server)).close()
    text = "\n".join(grants(root, "amy@localhost"))
    assert "GRANT SELECT, INSERT ON `shop_1`.* TO `amy`@`localhost` WITH GRANT OPTION" in text and "`other`.`t`" in text
    changed = proved("mysql_user", {**asked, "password": "new", "priv": {"shop_1.*": "SELECT"}})
    assert changed["password_changed"] and changed["msg"] == "Password updated"
    assert [line for line in grants(root, "amy@localhost") if "USAGE" not in line] == ["GRANT SELECT ON `shop_1`.* TO `amy`@`localhost`"]
    assert not ask("mysql_user", {**asked, "password": "other", "update_password": "on_create", "priv": "shop_1.*:SELECT"})["changed"]
    proved("mysql_user", {"name": "amy", "priv": "shop_2.*:ALL", "append_privs": True})
    proved("mysql_user", {"name": "amy", "priv": "shop_1.*:SELECT", "subtract_privs": True})
    assert [line for line in grants(root, "amy@localhost") if "USAGE" not in line] == ["GRANT ALL PRIVILEGES ON `shop_2`.* TO `amy`@`localhost`"]
    assert proved("mysql_user", {"name": "amy", "state": "absent"})["msg"] == "User deleted"
    with pytest.raises(ServerError, match="Access denied"):
        connect("amy", "new", path=str(server))


def test_everything_on_everything(proved: Ask, ask: Ask, root: Connection) -> None:
    proved("mysql_user", {"name": "boss", "host": "10.0.0.%", "password": "x", "priv": "*.*:ALL,GRANT"})
    assert not ask("mysql_user", {"name": "boss", "host": "10.0.0.%", "priv": "*.*:ALL PRIVILEGES,GRANT OPTION"})["changed"]
    ask("mysql_user", {"name": "boss", "host": "::1", "password": "y"})
    proved("mysql_user", {"name": "boss", "host_all": True, "password": "z"})
    proved("mysql_user", {"name": "boss", "host_all": True, "state": "absent"})
    assert root.rows("SELECT Host FROM mysql.user WHERE User = 'boss'") == []


def test_hash_plugin_lock_and_limits(proved: Ask, root: Connection, server: Path) -> None:
    proved("mysql_user", {"name": "bob", "password": "*6C8989366EAF75BB670AD8EA7A7FC1176A95CEF4", "encrypted": True})
    connect("bob", "mypass", path=str(server)).close()
    proved("mysql_user", {"name": "bob", "locked": True, "resource_limits": {"MAX_USER_CONNECTIONS": 3}, "tls_requires": {"SSL": None}})
    assert "ACCOUNT LOCK" in str(root.rows("SHOW CREATE USER bob@localhost"))
    proved("mysql_user", {"name": "bob", "locked": False, "tls_requires": {"NONE": None}})
    proved("mysql_user", {"name": "bob", "plugin": "unix_socket"})
    proved("mysql_user", {"name": "bob", "state": "absent"})


def test_queries(ask: Ask) -> None:
    ask("mysql_db", {"name": "asked"})
    made = ask("mysql_query", {"login_db": "asked", "query": ["CREATE TABLE t (n INT, x DOUBLE, word TEXT)", "INSERT INTO t VALUES (1, 0.5, NULL), (2, 2, 'b')"]})
    assert made["changed"] and made["rowcount"] == [0, 2]
    found = ask("mysql_query", {"login_db": "asked", "query": "SELECT * FROM t WHERE n > %(least)s", "named_args": {"least": 0}})
    assert not found["changed"] and found["query_result"] == [[{"n": 1, "x": 0.5, "word": None}, {"n": 2, "x": 2.0, "word": "b"}]]
    hostile = ask("mysql_query", {"login_db": "asked", "query": "SELECT %s AS word", "positional_args": ["'; DROP TABLE t; -- \\"]})
    assert hostile["query_result"] == [[{"word": "'; DROP TABLE t; -- \\"}]]
    undone = ask("mysql_query", {"login_db": "asked", "query": ["DELETE FROM t", "SELECT nothing"], "single_transaction": True})
    assert undone["failed"] and ask("mysql_query", {"login_db": "asked", "query": "SELECT COUNT(*) AS c FROM t"})["query_result"] == [[{"c": 2}]]
    long = ask("mysql_query", {"query": "SELECT REPEAT('x', 17000000) AS long_text" , "login_db": "asked"})
    assert long.get("failed") or len(long["query_result"][0][0]["long_text"] or "") in (0, 17000000)
    ask("mysql_db", {"name": "asked", "state": "absent"})


def test_variables_and_info(proved: Ask, ask: Ask) -> None:
    assert proved("mysql_variables", {"variable": "max_connections", "value": "77"})["queries"] == ["SET GLOBAL `max_connections` = 77"]
    assert ask("mysql_variables", {"variable": "max_connections"})["msg"] == "77"
    assert ask("mysql_variables", {"variable": "none_such"})["failed"]
    info = ask("mysql_info", {"filter": ["version", "databases", "settings", "users", "engines"], "return_empty_dbs": True})
    assert info["version"]["major"] >= 10 and info["server_engine"] == "MariaDB" and info["settings"]["max_connections"] == 77
    assert "mysql" in info["databases"] and "root" in info["users"]["localhost"] and "InnoDB" in info["engines"]
    assert set(ask("mysql_info", {})) >= {"master_status", "slave_status", "slave_hosts", "global_status"}
