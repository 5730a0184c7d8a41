"""Modules and actions without a case, each with its reason. A test asserts that none of them has one after all."""

ENGINE = "works on the run, not on a host: proved with the engine"
SERVER = "needs a PostgreSQL server: proved in tests/postgres"

EXEMPT: dict[str, str] = {
    **dict.fromkeys(
        ("add_host", "gather_facts", "group_by", "include_vars", "pause", "set_fact", "set_stats", "validate_argument_spec"), ENGINE
    ),
    **dict.fromkeys(
        (
            "postgresql_activity", "postgresql_assert", "postgresql_index_stats", "postgresql_info", "postgresql_ping", "postgresql_query",
            "postgresql_db", "postgresql_ext", "postgresql_privs", "postgresql_schema", "postgresql_set", "postgresql_setting",
            "postgresql_user", "postgresql_reindex", "postgresql_slow_queries", "postgresql_table_stats", "postgresql_vacuum",
        ), SERVER,
    ),
    "async_status": "asks about a job that another task started: proved in tests/remote",
    "reboot": "ends the host: proved on the lab with the engine",
    "wait_for_connection": "waits for a transport: proved with the engine",
}
