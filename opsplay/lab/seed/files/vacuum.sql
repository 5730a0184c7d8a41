-- A clean start, from which the dead rows are counted.
VACUUM ANALYZE;
