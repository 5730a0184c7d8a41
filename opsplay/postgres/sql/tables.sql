-- Tables with their rows, sizes, last maintenance, and an estimate of the space a rewrite would give back.
-- The estimate: the pages that reltuples rows of the average width in pg_stats need, against the pages there are.
WITH constants AS (
    SELECT pg_catalog.current_setting('block_size')::numeric AS block, 24 AS page_head, 4 AS line_pointer, 8 AS aligned
), widths AS (
    SELECT a.attrelid,
           pg_catalog.sum((1 - COALESCE(s.null_frac, 0)) * COALESCE(s.avg_width, 0)) AS data,
           pg_catalog.max(COALESCE(s.null_frac, 0)) AS nulls,
           pg_catalog.count(*) AS columns,
           pg_catalog.bool_and(s.avg_width IS NOT NULL) AS known
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'm')
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_stats s
           ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname AND NOT s.inherited
    WHERE a.attnum > 0 AND NOT a.attisdropped
    GROUP BY a.attrelid
), expected AS (
    SELECT c.oid, w.known,
           COALESCE(substring(pg_catalog.array_to_string(c.reloptions, ' ') FROM 'fillfactor=([0-9]+)')::numeric, 100) AS fill,
           23 + CASE WHEN w.nulls > 0 THEN (7 + w.columns) / 8 ELSE 0 END AS head, w.data
    FROM pg_catalog.pg_class c JOIN widths w ON w.attrelid = c.oid
), pages AS (
    SELECT e.oid, e.known,
           pg_catalog.ceil(c.reltuples::numeric / GREATEST(1, pg_catalog.floor(
               (k.block - k.page_head) * e.fill / 100
               / (pg_catalog.ceil(e.head::numeric / k.aligned) * k.aligned
                  + pg_catalog.ceil(e.data::numeric / k.aligned) * k.aligned + k.line_pointer)))) AS needed
    FROM expected e JOIN pg_catalog.pg_class c ON c.oid = e.oid CROSS JOIN constants k
)
SELECT n.nspname AS schema, c.relname AS "table", c.oid::bigint AS oid, pg_catalog.pg_get_userbyid(c.relowner) AS owner,
       s.n_live_tup AS live, s.n_dead_tup AS dead,
       CASE WHEN s.n_live_tup + s.n_dead_tup > 0
            THEN pg_catalog.round(100.0 * s.n_dead_tup / (s.n_live_tup + s.n_dead_tup), 2) ELSE 0 END AS dead_ratio,
       s.n_mod_since_analyze AS modified,
       CASE WHEN s.n_live_tup > 0 THEN pg_catalog.round(100.0 * s.n_mod_since_analyze / s.n_live_tup, 2)
            WHEN s.n_mod_since_analyze > 0 THEN 100 ELSE 0 END AS modified_ratio,
       s.last_vacuum, s.last_autovacuum, s.last_analyze, s.last_autoanalyze,
       s.vacuum_count, s.autovacuum_count, s.analyze_count, s.autoanalyze_count,
       EXTRACT(epoch FROM pg_catalog.now() - GREATEST(s.last_vacuum, s.last_autovacuum))::bigint AS vacuum_age,
       EXTRACT(epoch FROM pg_catalog.now() - GREATEST(s.last_analyze, s.last_autoanalyze))::bigint AS analyze_age,
       s.seq_scan, s.idx_scan,
       pg_catalog.pg_relation_size(c.oid) AS size, pg_catalog.pg_total_relation_size(c.oid) AS total_size,
       pg_catalog.age(c.relfrozenxid)::bigint AS frozen_age,
       CASE WHEN p.known AND c.reltuples >= 0 AND c.relpages > 0
            THEN GREATEST(0, (c.relpages - p.needed) * k.block)::bigint END AS bloat_bytes,
       CASE WHEN p.known AND c.reltuples >= 0 AND c.relpages > 0
            THEN pg_catalog.round(GREATEST(0, 100.0 * (c.relpages - p.needed) / c.relpages), 1) END AS bloat_pct
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_stat_all_tables s ON s.relid = c.oid
LEFT JOIN pages p ON p.oid = c.oid
CROSS JOIN constants k
WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
ORDER BY pg_catalog.pg_total_relation_size(c.oid) DESC, n.nspname, c.relname
