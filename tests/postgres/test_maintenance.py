"""Vacuum and reindex against a real server under load and attack (fault rows 34 to 37)."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from test_questions import bloat

TIMES = int(os.environ.get("OPSPLAY_TEST_TIMES", "12"))


def test_vacuum_only_where_needed_and_once(database: Any) -> None:
    bloat(database)
    database.run("CREATE TABLE clean (a int)", "INSERT INTO clean SELECT generate_series(1, 100)")
    wanted = {"all": True, "when_dead_ratio": 10, "min_dead_tuples": 1000}
    seen = database.act("postgresql_vacuum", check=True, **wanted)
    assert database.value("SELECT last_vacuum FROM pg_stat_user_tables WHERE relname = 'bills'") is None
    done = database.act("postgresql_vacuum", **wanted)
    again = database.act("postgresql_vacuum", **wanted)
    assert seen["changed"] and done["changed"] and not again["changed"]
    assert [row["table"] for row in seen["vacuumed"]] == [row["table"] for row in done["vacuumed"]] == ["public.bills"]
    assert done["vacuumed"][0]["dead_before"] == 18000 and done["vacuumed"][0]["dead_after"] == 0
    assert {"table": "public.clean", "reason": "0 % dead rows, less than 10 %"} in done["left_alone"]


def test_full_needs_its_flag_and_gives_space_back(database: Any) -> None:
    bloat(database)
    refused = database.act("postgresql_vacuum", tables="bills", mode="full")
    assert refused["failed"] and "allow_exclusive_lock" in refused["msg"]
    database.run("ANALYZE bills")
    full = database.act("postgresql_vacuum", all=True, mode="full", allow_exclusive_lock=True, when_bloat_pct=50)
    assert full["changed"] and full["bytes_freed"] > 1_000_000
    assert not database.act("postgresql_vacuum", all=True, mode="full", allow_exclusive_lock=True, when_bloat_pct=50)["changed"]


def test_analyze_when_modified(database: Any) -> None:
    database.run("CREATE TABLE t AS SELECT generate_series(1, 1000) a")
    assert database.act("postgresql_vacuum", all=True, mode="analyze", when_modified_ratio=10)["changed"]
    assert not database.act("postgresql_vacuum", all=True, mode="analyze", when_modified_ratio=10)["changed"]
    assert not database.act("postgresql_vacuum", tables="t", mode="analyze", not_within="1h")["changed"]


def test_reindex_only_where_bloated_and_once(database: Any) -> None:
    bloat(database)
    database.run("VACUUM ANALYZE bills")
    wanted = {"all": True, "when_bloat_pct": 30, "min_size": "100k"}
    seen, done, again = (database.act("postgresql_reindex", check=check, **wanted) for check in (True, False, False))
    assert [row["index"] for row in seen["reindexed"]] == [row["index"] for row in done["reindexed"]]
    assert "public.idx_bills_content" in [row["index"] for row in done["reindexed"]] and done["bytes_freed"] > 500_000
    assert not again["changed"] and database.invalid() == []


@contextmanager
def open_transaction(database: Any, statement: str) -> Iterator[Any]:
    with database.connect() as connection:
        connection.autocommit = False
        connection.execute(statement)
        yield connection
        connection.rollback()


def test_a_rebuild_that_would_wait_is_not_begun(database: Any) -> None:
    bloat(database, 2000)
    with open_transaction(database, "UPDATE bills SET customer = 1 WHERE id = 10"):
        time.sleep(0.2)
        done = database.act("postgresql_reindex", indexes="idx_bills_content", lock_timeout="100ms", retries=2, retry_delay=0.05)
        assert database.invalid() == []
    assert done["lock_timeouts"] == ["public.idx_bills_content"] and not done["changed"]
    assert "has a transaction open" in done["left_alone"][0]["reason"]
    assert database.act("postgresql_reindex", indexes="idx_bills_content")["changed"]


def test_a_lock_timeout_leaves_no_invalid_index_after_the_next_run(database: Any) -> None:
    """The transaction begins while the index is being built, so that no look beforehand can see it."""
    bloat(database, 40000)
    left = 0
    for turn in range(5):
        stop = threading.Event()

        def get_in_the_way(stop: threading.Event = stop, turn: int = turn) -> None:
            while not stop.is_set():
                if database.run("SELECT 1 FROM pg_stat_progress_create_index") or turn > 3:
                    with open_transaction(database, "UPDATE bills SET customer = 1 WHERE id = 10"):
                        stop.wait(1.5)
                    return

        other = threading.Thread(target=get_in_the_way)
        other.start()
        done = database.act("postgresql_reindex", tables="bills", lock_timeout="100ms", retries=1, retry_delay=0.05)
        invalid = database.invalid()
        assert len(invalid) <= 1 and bool(invalid) == bool(done.get("failed")), (invalid, done)
        left += bool(invalid)
        stop.set()
        other.join()
        database.act("postgresql_reindex", tables="bills", when_bloat_pct=101)
        assert database.invalid() == []
    print(f"lock timeouts: {left} of 5 left an invalid index (and said so), 0 after the next run")


def test_a_unique_violation_leaves_no_invalid_index(database: Any) -> None:
    database.run(
        "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a'",
        "CREATE TABLE t AS SELECT generate_series(1, 100) a", "CREATE UNIQUE INDEX t_f ON t (public.f(a))",
        "CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'",
    )
    done = database.act("postgresql_reindex", tables="t")
    assert done["failed"] and "23505" in done["msg"] and database.invalid() == []
    assert database.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_f'::regclass")


def test_foreign_invalid_indexes_are_told_and_kept(database: Any) -> None:
    bloat(database, 1000)
    database.run("CREATE TABLE other AS SELECT 1 a", "CREATE INDEX other_a ON other (a)", "CREATE INDEX other_a_ccnew ON other (a)",
                 "CREATE INDEX by_hand ON bills (customer, id)", "CREATE INDEX lone_ccnew ON bills (content, id)",
                 "CREATE INDEX idx_bills_customer_ccnew1 ON bills (customer)", "CREATE INDEX idx_bills_content_ccold ON bills (content)",
                 "CREATE INDEX idx_bills_content_ccnew ON bills (id, content)",
                 "UPDATE pg_index SET indisvalid = false WHERE indexrelid IN ('other_a_ccnew'::regclass, 'by_hand'::regclass, "
                 "'lone_ccnew'::regclass, 'idx_bills_customer_ccnew1'::regclass, 'idx_bills_content_ccnew'::regclass)")
    seen = database.act("postgresql_reindex", check=True, tables="bills", when_bloat_pct=101)
    done = database.act("postgresql_reindex", tables="bills", when_bloat_pct=101)
    assert seen["leftovers_dropped"] == done["leftovers_dropped"] == ["public.idx_bills_customer_ccnew1"]
    assert set(done["foreign_invalid"]) == {"public.by_hand", "public.lone_ccnew", "public.idx_bills_content_ccnew"}
    names = [row[0] for row in database.run("SELECT indexname FROM pg_indexes WHERE tablename IN ('bills', 'other')")]
    assert {"idx_bills_content_ccold", "other_a_ccnew", "by_hand", "lone_ccnew", "idx_bills_content_ccnew"} <= set(names)
    assert "idx_bills_customer_ccnew1" not in names, "a valid index is never dropped, a foreign one is never touched"


SCRIPT = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
from action_call import run_action
print("go", flush=True)
asyncio.run(run_action(sys.argv[4], login_unix_socket=sys.argv[2], login_db=sys.argv[3], tables="bills", **eval(sys.argv[5])))
"""


def start_action(database: Any, action: str, arguments: str = "{}") -> subprocess.Popen[str]:
    words = [sys.executable, "-c", SCRIPT, str(Path(__file__).parent), str(database.server.folder), database.name, action, arguments]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "go\n"
    return process


def our_backends(database: Any) -> list[int]:
    rows = database.run("SELECT pid FROM pg_stat_activity WHERE application_name = 'opsplay' AND datname = current_database()")
    return [row[0] for row in rows]


@pytest.mark.parametrize("how", ["kill the client", "terminate the backend"])
def test_interrupted_at_random_times_a_rerun_leaves_nothing_invalid(database: Any, how: str) -> None:
    bloat(database, 100)
    database.run("INSERT INTO bills (customer, content) SELECT i, md5(i::text) || md5((-i)::text) FROM generate_series(1, 60000) i")
    found_invalid = 0
    chance = random.Random(7)
    for _ in range(TIMES):
        process = start_action(database, "postgresql_reindex")
        while process.poll() is None and not database.run("SELECT 1 FROM pg_stat_progress_create_index"):
            pass
        time.sleep(chance.uniform(0, 0.4))
        if how == "kill the client":
            process.send_signal(signal.SIGKILL)
        else:
            for pid in our_backends(database):
                database.run(f"SELECT pg_terminate_backend({pid})")
        process.wait(30)
        found_invalid += bool(database.invalid())
        deadline = time.monotonic() + 6
        while our_backends(database) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert our_backends(database) == []
        database.act("postgresql_reindex", tables="bills", when_bloat_pct=101)
        assert database.invalid() == []
    valid = {row[0] for row in database.run("SELECT indexname FROM pg_indexes WHERE tablename = 'bills'")}
    assert valid == {"bills_pkey", "idx_bills_customer", "idx_bills_content"}
    print(f"{how}: {TIMES} interruptions, {found_invalid} left an invalid index, 0 after the next run")


def test_a_killed_client_ends_its_backend_within_five_seconds(database: Any) -> None:
    script = SCRIPT.replace("tables=\"bills\", ", "")
    words = [sys.executable, "-c", script, str(Path(__file__).parent), str(database.server.folder), database.name, "postgresql_query",
             "{'query': 'SELECT pg_sleep(60)'}"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 5
    while not database.run("SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)' AND application_name = 'opsplay'"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.kill()
    process.wait()
    killed = time.monotonic()
    while our_backends(database):
        assert time.monotonic() - killed <= 5
        time.sleep(0.05)
    print(f"backend gone {time.monotonic() - killed:.2f} s after its client was killed")


def test_a_cancelled_action_cancels_its_statement_at_once(database: Any) -> None:
    from action_call import run_action

    async def cancelled() -> float:
        task = asyncio.ensure_future(run_action("postgresql_query", query="SELECT pg_sleep(30)", **database.login))
        await asyncio.sleep(0.7)
        task.cancel()
        started = time.monotonic()
        await asyncio.gather(task, return_exceptions=True)
        return time.monotonic() - started

    assert asyncio.run(cancelled()) < 1.5
    time.sleep(0.2)
    assert our_backends(database) == []


def measure_queries(database: Any, seconds: float, stop: threading.Event, waits: list[float]) -> None:
    with database.connect() as connection:
        number = 0
        while not stop.is_set() and number < 1_000_000:
            number += 1
            started = time.monotonic()
            connection.execute("SELECT content FROM bills WHERE id = %s", [number % 1000])
            connection.execute("UPDATE bills SET customer = customer + 1 WHERE id = %s", [number % 1000])
            waits.append(time.monotonic() - started)
            time.sleep(0.002)


@pytest.mark.parametrize("action, arguments", [
    ("postgresql_vacuum", {"tables": "bills", "mode": "full", "allow_exclusive_lock": True}),
    ("postgresql_reindex", {"tables": "bills"}),
    ("postgresql_reindex", {"tables": "bills", "concurrently": False, "allow_exclusive_lock": True}),
])
def test_nobody_queues_behind_us_longer_than_the_lock_timeout(database: Any, action: str, arguments: dict[str, Any]) -> None:
    bloat(database, 4000)
    waits: list[float] = []
    stop = threading.Event()
    clients = [threading.Thread(target=measure_queries, args=(database, 4, stop, waits)) for _ in range(2)]
    with open_transaction(database, "SELECT count(*) FROM bills") as reader:
        for client in clients:
            client.start()
        time.sleep(0.3)
        release = threading.Timer(4.0, reader.rollback)
        release.start()
        done = database.act(action, lock_timeout="500ms", retries=6, retry_delay=0.3, **arguments)
        release.join()
    stop.set()
    for client in clients:
        client.join()
    p99 = statistics.quantiles(waits, n=100)[98]
    print(f"{action} {arguments}: {len(waits)} queries, p99 {p99 * 1000:.0f} ms, longest {max(waits) * 1000:.0f} ms; {done['left_alone']}")
    assert p99 <= 0.6 and max(waits) <= 0.5 + 0.35 and database.invalid() == []
    assert done["changed"], done


def test_maintenance_as_superuser_runs_no_user_code_as_superuser(database: Any) -> None:
    role = f"mallory_{database.name}"
    database.run(f"CREATE ROLE {role} LOGIN", "GRANT ALL ON SCHEMA public TO PUBLIC")
    try:
        database.run(
            "CREATE TABLE t (a int)", "INSERT INTO t SELECT generate_series(1, 50)",
            "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a'", "CREATE INDEX t_f ON t (public.f(a))",
            f"CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN EXECUTE 'ALTER ROLE {role} SUPERUSER'; "
            "RETURN a; EXCEPTION WHEN insufficient_privilege THEN RETURN a; END $$",
            "CREATE FUNCTION count_wrong(int, int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN EXECUTE "
            f"'ALTER ROLE {role} SUPERUSER'; RETURN true; END $$",
            "CREATE FUNCTION pg_relation_size(oid) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN EXECUTE "
            f"'ALTER ROLE {role} SUPERUSER'; RETURN 1; END $$",
            "CREATE OPERATOR = (LEFTARG = int, RIGHTARG = int, PROCEDURE = public.count_wrong)", user=role)
        database.run(f"ALTER DATABASE {database.name} SET search_path = public, pg_catalog")
        for action, arguments in (("postgresql_vacuum", {"all": True}), ("postgresql_vacuum", {"tables": "t", "mode": "full", "allow_exclusive_lock": True}),
                                  ("postgresql_reindex", {"all": True}), ("postgresql_table_stats", {}), ("postgresql_index_stats", {}),
                                  ("postgresql_info", {}), ("postgresql_activity", {"min_duration": "0s"})):
            database.act(action, **arguments)
        assert database.value(f"SELECT rolsuper FROM pg_roles WHERE rolname OPERATOR(pg_catalog.=) '{role}'") is False
        assert database.invalid() == []
    finally:
        database.run(f"DROP OWNED BY {role} CASCADE", f"DROP ROLE {role}")


@pytest.mark.parametrize("version, superuser, concurrently", [(140002, True, False), (130006, True, False), (90624, True, False), (140003, False, True)])
def test_versions_with_known_holes_are_refused(version: int, superuser: bool, concurrently: bool) -> None:
    from opsplay.postgres.safety import require_safe
    from opsplay.remote.spec import ModuleFailure

    with pytest.raises(ModuleFailure, match="PostgreSQL"):
        require_safe(version, superuser, concurrently)
    require_safe(150018, True, True)
