SELECT pg_catalog.count(*) AS total,
       pg_catalog.count(*) FILTER (WHERE state = 'active') AS active,
       pg_catalog.count(*) FILTER (WHERE state = 'idle') AS idle,
       pg_catalog.count(*) FILTER (WHERE state LIKE 'idle in transaction%%') AS idle_in_transaction,
       pg_catalog.count(*) FILTER (WHERE wait_event_type = 'Lock') AS waiting,
       pg_catalog.current_setting('max_connections')::int AS max,
       pg_catalog.round(100.0 * pg_catalog.count(*) / pg_catalog.current_setting('max_connections')::int, 1) AS used_pct
FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend'
