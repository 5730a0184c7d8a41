-- The application's database: healthy tables, one full of dead tuples, one bloated with its index.
SET ROLE app;
CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, email text UNIQUE);
INSERT INTO customers SELECT n, 'customer ' || n, 'c' || n || '@example.invalid' FROM generate_series(1, 1000) n;

CREATE TABLE orders (
    id int PRIMARY KEY, customer int NOT NULL REFERENCES customers, state text NOT NULL, note text
) WITH (autovacuum_enabled = off);
CREATE INDEX orders_state ON orders (state);
INSERT INTO orders SELECT n, n % 1000 + 1, 'new', repeat('n', 60) FROM generate_series(1, 20000) n;

CREATE TABLE events (
    id int PRIMARY KEY, happened timestamptz NOT NULL, payload text
) WITH (autovacuum_enabled = off);
CREATE INDEX events_happened ON events (happened);
CREATE INDEX events_payload ON events (payload);
INSERT INTO events
    SELECT n, now() - n * interval '1 minute', md5(n::text) || repeat('p', 150) FROM generate_series(1, 40000) n;

CREATE VIEW open_orders AS SELECT * FROM orders WHERE state <> 'done';
CREATE SEQUENCE invoices START 1000;
