SELECT slot_name, plugin, slot_type, database, active FROM pg_catalog.pg_replication_slots ORDER BY slot_name
