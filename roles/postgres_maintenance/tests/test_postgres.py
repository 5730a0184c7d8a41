"""After postgres_maintenance: no invalid index, few dead rows, the server answers."""

import json

import pytest

testinfra_hosts = ["opsplay://db"]


@pytest.fixture
def ask(host):
    def ask(database, query):
        told = host.run("cd /; sudo -n -u postgres psql -XAtq -d %s -c %s", database, f"SELECT json_agg(t) FROM ({query}) t")
        assert told.rc == 0, told.stderr
        return json.loads(told.stdout.strip() or "null") or []

    return ask


@pytest.fixture
def databases(ask):
    return [row["datname"] for row in ask("postgres", "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate")]


def test_no_index_is_invalid(ask, databases):
    for database in databases:
        assert ask(database, "SELECT indexrelid::regclass::text AS index FROM pg_index WHERE NOT indisvalid") == []


def test_few_rows_are_dead(ask, databases):
    query = ("SELECT relname FROM pg_stat_user_tables WHERE n_dead_tup >= 1000 "
             "AND n_dead_tup >= 0.1 * (n_live_tup + n_dead_tup)")
    for database in databases:
        assert ask(database, query) == []


def test_nothing_of_ours_is_left_running(ask):
    assert ask("postgres", "SELECT pid FROM pg_stat_activity WHERE application_name = 'opsplay'") == []
