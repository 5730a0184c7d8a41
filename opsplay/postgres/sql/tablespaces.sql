SELECT t.spcname AS name, pg_catalog.pg_get_userbyid(t.spcowner) AS spcowner, COALESCE(t.spcacl::text, '') AS spcacl,
       COALESCE(t.spcoptions::text, '') AS spcoptions, pg_catalog.pg_tablespace_location(t.oid) AS location
FROM pg_catalog.pg_tablespace t ORDER BY t.spcname
