SELECT name, setting, unit, context, vartype, boot_val, min_val, max_val, sourcefile, pending_restart
FROM pg_catalog.pg_settings ORDER BY name
