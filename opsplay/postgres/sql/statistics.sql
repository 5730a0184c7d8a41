-- pg_stat_database, one row a database, with the share of blocks found in the cache.
SELECT d.datname AS database, s.numbackends AS backends, s.xact_commit AS commits, s.xact_rollback AS rollbacks,
       s.blks_read, s.blks_hit, s.temp_files, s.temp_bytes, s.deadlocks, s.conflicts, s.stats_reset,
       CASE WHEN s.blks_hit + s.blks_read > 0
            THEN pg_catalog.round(100.0 * s.blks_hit / (s.blks_hit + s.blks_read), 2) END AS cache_hit_ratio
FROM pg_catalog.pg_stat_database s JOIN pg_catalog.pg_database d ON d.oid = s.datid
WHERE NOT d.datistemplate ORDER BY d.datname
