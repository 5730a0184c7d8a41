-- What runs or waits now, longest first, and whom it waits for.
SELECT a.pid, a.datname AS database, a.usename AS "user", a.application_name AS application,
       a.client_addr::text AS client, a.state, a.wait_event_type, a.wait_event,
       EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.query_start)::float8 AS query_seconds,
       EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::float8 AS transaction_seconds,
       pg_catalog.pg_blocking_pids(a.pid) AS blocked_by, a.query
FROM pg_catalog.pg_stat_activity a
WHERE a.backend_type = 'client backend' AND a.pid <> pg_catalog.pg_backend_pid()
  AND (a.state <> 'idle' OR %(idle)s)
  AND EXTRACT(epoch FROM pg_catalog.clock_timestamp() - CASE WHEN a.state = 'active' THEN a.query_start ELSE a.xact_start END)
      >= %(seconds)s
ORDER BY 9 DESC
