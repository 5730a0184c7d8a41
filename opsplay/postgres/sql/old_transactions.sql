-- Transactions that a concurrent rebuild or drop would have to wait for: open in this database, and not just begun.
SELECT a.pid, a.usename AS "user", a.application_name AS application, a.state,
       EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::float8 AS seconds
FROM pg_catalog.pg_stat_activity a
WHERE a.datid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
  AND a.pid <> pg_catalog.pg_backend_pid() AND a.xact_start IS NOT NULL
  AND (a.backend_xid IS NOT NULL OR a.backend_xmin IS NOT NULL OR EXISTS (
           SELECT FROM pg_catalog.pg_locks l WHERE l.pid = a.pid AND l.relation = %(table)s AND l.granted))
  AND pg_catalog.clock_timestamp() - a.xact_start > pg_catalog.current_setting('lock_timeout')::interval / 2
ORDER BY a.xact_start
