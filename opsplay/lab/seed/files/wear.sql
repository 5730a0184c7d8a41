-- 30,000 dead tuples in orders that nothing cleans up by itself.
UPDATE orders SET state = 'paid';
UPDATE orders SET state = 'done' WHERE id % 2 = 0;
-- Nine tenths of events deleted, the space free inside the file but never given back: table and index bloat.
DELETE FROM events WHERE id % 10 <> 0;
