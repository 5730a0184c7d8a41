"""The actions that only ask: ping, info, query, assert, statistics, activity, slow queries."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest


def bloat(database: Any, rows: int = 20000) -> None:
    database.run(
        "CREATE TABLE bills (id bigserial PRIMARY KEY, customer int, content text)",
        f"INSERT INTO bills (customer, content) SELECT i % 1000, repeat(md5(i::text), 4) FROM generate_series(1, {rows}) i",
        "CREATE INDEX idx_bills_customer ON bills (customer)", "CREATE INDEX idx_bills_content ON bills (content)",
        "DELETE FROM bills WHERE id % 10 <> 0", "SELECT pg_stat_force_next_flush()",
    )


def test_ping_tells_version_or_why_not(database: Any) -> None:
    there = database.act("postgresql_ping")
    assert there["is_available"] and there["server_version"]["major"] >= 15 and "PostgreSQL" in there["server_version"]["raw"]
    gone = database.act("postgresql_ping", login_unix_socket="/tmp/nowhere")
    assert not gone["is_available"] and gone["conn_err_msg"] and not gone.get("failed")
    absent = database.act("postgresql_info", login_db="absent")
    assert absent["failed"] and 'database "absent" does not exist' in absent["msg"]


def test_info(database: Any) -> None:
    info = database.act("postgresql_info")
    assert int(info["databases"][database.name]["size"]) > 1_000_000 and info["databases"][database.name]["owner"] == "postgres"
    assert info["connections"]["max"] == 40 and 0 < info["connections"]["used_pct"] < 80
    assert 0 <= info["cache_hit_ratio"] <= 100 and info["statistics"][database.name]["commits"] > 0
    assert info["settings"]["fsync"]["setting"] == "off" and info["roles"]["postgres"]["superuser"] and not info["in_recovery"]
    assert set(database.act("postgresql_info", filter="ver*,connections")) == {"changed", "version", "connections"}
    assert "settings" not in database.act("postgresql_info", filter="!settings")


def test_query_as_documented(database: Any) -> None:
    made = database.act("postgresql_query", query="CREATE TABLE t (a int, b text)")
    assert made["changed"] and made["statusmessage"] == "CREATE TABLE"
    put = database.act("postgresql_query", query="INSERT INTO t VALUES (%s, %s)", positional_args=[1, "it's 100%"])
    assert put["changed"] and put["rowcount"] == 1
    got = database.act("postgresql_query", query="SELECT * FROM t WHERE a = %(a)s", named_args={"a": 1})
    assert got["query_result"] == [{"a": 1, "b": "it's 100%"}] and not got["changed"] and got["rowcount"] == 1
    none = database.act("postgresql_query", query="UPDATE t SET a = 2 WHERE a = 99")
    assert not none["changed"] and none["rowcount"] == 0
    several = database.act("postgresql_query", query="SELECT 1 AS x; SELECT 2 AS y")
    assert several["query_all_results"] == [[{"x": 1}], [{"y": 2}]]
    assert database.act("postgresql_query", query="SELECT '{\"a\": [1]}'::jsonb AS j, 1.5::numeric AS n, now() AS t")["query_result"][0]["j"] == {"a": [1]}


def test_query_in_check_mode_and_read_only_writes_nothing(database: Any) -> None:
    database.run("CREATE TABLE t (a int)")
    assert database.act("postgresql_query", check=True, query="INSERT INTO t VALUES (1)")["changed"]
    refused = database.act("postgresql_query", query="INSERT INTO t VALUES (1)", read_only=True)
    assert refused["failed"] and "read-only" in refused["msg"] and database.value("SELECT count(*) FROM t") == 0
    database.act("postgresql_query", query="VACUUM t", autocommit=True)
    wrong = database.act("postgresql_query", query="SELEC 1")
    assert wrong["failed"] and "syntax error" in wrong["msg"] and "42601" in wrong["msg"]


def test_assert(database: Any) -> None:
    database.run("CREATE TABLE t (id int)", "INSERT INTO t VALUES (1), (NULL)")
    checks = [{"query": "SELECT count(*) FROM t WHERE id IS NULL", "expect": 0, "name": "ids"}, {"query": "SELECT count(*) FROM t", "min": 1}]
    told = database.act("postgresql_assert", checks=checks)
    assert told["failed"] and told["msg"] == "ids: 1, expected 0" and [check["level"] for check in told["checks"]] == ["crit", "ok"]
    assert database.act("postgresql_assert", checks=checks[1:])["verdict"] == "ok"


def test_statistics_see_dead_rows_bloat_and_unused_indexes(database: Any) -> None:
    bloat(database)
    [table] = database.act("postgresql_table_stats", tables="bills")["tables"]
    assert table["dead"] == 18000 and table["dead_ratio"] == 90.0 and table["last_vacuum"] is None
    database.run("VACUUM ANALYZE bills")
    [table] = database.act("postgresql_table_stats")["tables"]
    assert table["dead"] == 0 and table["bloat_pct"] > 80 and table["last_vacuum"]
    indexes = database.act("postgresql_index_stats", min_size=8192)
    names = {row["index"]: row for row in indexes["indexes"]}
    assert names["idx_bills_content"]["bloat_pct"] > 80 and names["bills_pkey"]["primary"]
    assert set(indexes["unused"]) == {"public.idx_bills_customer", "public.idx_bills_content"} and indexes["invalid"] == []
    database.run("VACUUM FULL ANALYZE bills")
    [table] = database.act("postgresql_table_stats")["tables"]
    fresh = database.act("postgresql_index_stats")["indexes"]
    assert table["bloat_pct"] < 10 and all(row["bloat_pct"] < 15 for row in fresh), [(row["index"], row["bloat_pct"]) for row in fresh]
    assert "no such table" in database.act("postgresql_table_stats", tables="nope")["msg"]


def test_activity_masks_secrets(database: Any) -> None:
    def sleep() -> None:
        with database.connect() as connection:
            connection.execute("SELECT pg_sleep(1.5), 'x' AS password, 'password=hunter2' AS c")

    sleeper = threading.Thread(target=sleep)
    sleeper.start()
    time.sleep(0.6)
    seen = database.act("postgresql_activity", min_duration="0.4s")["queries"]
    sleeper.join()
    [query] = [row for row in seen if row["database"] == database.name]
    assert 0.3 < query["query_seconds"] < 1.5 and "hunter2" not in query["query"] and "***" in query["query"]


def test_slow_queries_need_their_extension(database: Any) -> None:
    assert "not installed" in database.act("postgresql_slow_queries")["msg"]
    database.run("CREATE SCHEMA odd", "CREATE EXTENSION pg_stat_statements SCHEMA odd", "SELECT pg_sleep(0.05)")
    slow = database.act("postgresql_slow_queries", min_mean_ms=20)
    assert slow["available"] and "pg_sleep" in slow["queries"][0]["query"] and slow["queries"][0]["mean_ms"] >= 50


def test_every_session_is_limited(database: Any) -> None:
    shown = database.act("postgresql_query", query="SELECT current_setting('lock_timeout') AS l, current_setting('statement_timeout') AS s, "
                         "current_setting('client_connection_check_interval') AS c, current_setting('application_name') AS a")
    assert shown["query_result"] == [{"l": "1s", "s": "30min", "c": "2s", "a": "opsplay"}]


@pytest.mark.parametrize("name", ["a.b.c", '"open'])
def test_bad_names_are_refused(database: Any, name: str) -> None:
    assert database.act("postgresql_vacuum", tables=[name])["failed"]
