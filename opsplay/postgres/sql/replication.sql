SELECT pid, usename, application_name AS app_name, client_addr::text AS client_addr, client_hostname, backend_start::text,
       state FROM pg_catalog.pg_stat_replication ORDER BY pid
