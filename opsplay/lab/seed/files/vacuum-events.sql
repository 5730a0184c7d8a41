-- The space of the deleted events becomes free inside the file: that is bloat.
VACUUM (ANALYZE, TRUNCATE off) events;
ANALYZE orders;
CHECKPOINT;
