-- Indexes with their use, validity, and for btrees an estimate of the space a rebuild would give back.
WITH widths AS (
    SELECT x.indexrelid,
           pg_catalog.sum((1 - COALESCE(s.null_frac, e.null_frac, 0)) * COALESCE(s.avg_width, e.avg_width, 0)) AS data,
           pg_catalog.max(COALESCE(s.null_frac, e.null_frac, 0)) AS nulls,
           pg_catalog.bool_and(COALESCE(s.avg_width, e.avg_width) IS NOT NULL) AS known
    FROM (SELECT i.indexrelid, i.indrelid, pg_catalog.unnest(i.indkey) AS attnum,
                 pg_catalog.generate_subscripts(i.indkey, 1) + 1 AS position
          FROM pg_catalog.pg_index i) x
    JOIN pg_catalog.pg_class t ON t.oid = x.indrelid
    JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.attnum AND x.attnum > 0
    LEFT JOIN pg_catalog.pg_stats s
           ON s.schemaname = n.nspname AND s.tablename = t.relname AND s.attname = a.attname AND NOT s.inherited
    LEFT JOIN pg_catalog.pg_attribute ia ON ia.attrelid = x.indexrelid AND ia.attnum = x.position AND x.attnum = 0
    LEFT JOIN pg_catalog.pg_stats e
           ON e.schemaname = n.nspname AND e.tablename = c.relname AND e.attname = ia.attname
    GROUP BY x.indexrelid
), pages AS (
    SELECT c.oid, w.known,
           1 + pg_catalog.ceil(c.reltuples::numeric / GREATEST(1, pg_catalog.floor(
               (pg_catalog.current_setting('block_size')::numeric - 40)
               * COALESCE(substring(pg_catalog.array_to_string(c.reloptions, ' ') FROM 'fillfactor=([0-9]+)')::numeric, 90) / 100
               / (8 + CASE WHEN w.nulls > 0 THEN 8 ELSE 0 END + pg_catalog.ceil(w.data::numeric / 8) * 8 + 4)))) AS needed
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_am m ON m.oid = c.relam AND m.amname = 'btree'
    JOIN widths w ON w.indexrelid = c.oid
)
SELECT n.nspname AS schema, t.relname AS "table", c.relname AS "index", c.oid::bigint AS oid, i.indrelid::bigint AS table_oid,
       pg_catalog.pg_get_userbyid(t.relowner) AS owner, m.amname AS method,
       i.indisvalid AS valid, i.indisready AS ready, i.indislive AS live, i.indisunique AS "unique", i.indisprimary AS "primary",
       i.indisexclusion AS exclusion,
       EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = c.oid) AS of_constraint,
       c.relispartition AS partition,
       EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index b
               WHERE b.datid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
                 AND (b.index_relid = c.oid OR b.relid = i.indrelid)) AS being_built,
       COALESCE(s.idx_scan, 0) AS scans, COALESCE(s.idx_tup_read, 0) AS tuples_read, COALESCE(s.idx_tup_fetch, 0) AS tuples_fetched,
       pg_catalog.pg_relation_size(c.oid) AS size, pg_catalog.pg_get_indexdef(c.oid) AS definition,
       CASE WHEN p.known AND c.reltuples >= 0 AND c.relpages > 1
            THEN GREATEST(0, (pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::numeric - p.needed)
                             * pg_catalog.current_setting('block_size')::numeric)::bigint END AS bloat_bytes,
       CASE WHEN p.known AND c.reltuples >= 0 AND c.relpages > 1 AND pg_catalog.pg_relation_size(c.oid) > 0
            THEN pg_catalog.round(GREATEST(0, 100 * (1 - p.needed * pg_catalog.current_setting('block_size')::numeric
                                                     / pg_catalog.pg_relation_size(c.oid))), 1) END AS bloat_pct
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i'
JOIN pg_catalog.pg_class t ON t.oid = i.indrelid AND t.relpersistence <> 't'
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_am m ON m.oid = c.relam
LEFT JOIN pg_catalog.pg_stat_all_indexes s ON s.indexrelid = c.oid
LEFT JOIN pages p ON p.oid = c.oid
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
ORDER BY pg_catalog.pg_relation_size(c.oid) DESC, n.nspname, c.relname
