SELECT d.datname AS name, pg_catalog.pg_get_userbyid(d.datdba) AS owner, pg_catalog.pg_encoding_to_char(d.encoding) AS encoding,
       d.datcollate AS "collate", d.datctype AS ctype, COALESCE(pg_catalog.array_to_string(d.datacl, E'\n'), '') AS access_priv,
       CASE WHEN pg_catalog.has_database_privilege(d.datname, 'CONNECT') THEN pg_catalog.pg_database_size(d.oid) END AS size,
       d.datallowconn AS connections_allowed, pg_catalog.age(d.datfrozenxid)::bigint AS frozen_age
FROM pg_catalog.pg_database d WHERE NOT d.datistemplate ORDER BY d.datname
