-- A database whose dump is the wrong one.
CREATE TABLE unrelated (id int PRIMARY KEY);
INSERT INTO unrelated SELECT generate_series(1, 10);
