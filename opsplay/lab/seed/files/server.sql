-- Roles and databases of the lab's PostgreSQL; the passwords are known to everybody, as is everything in a lab.
CREATE ROLE app LOGIN PASSWORD 'app-lab';
CREATE ROLE maintainer LOGIN PASSWORD 'maintainer-lab' IN ROLE pg_monitor, pg_signal_backend;
CREATE DATABASE app OWNER app;
CREATE DATABASE other OWNER app;
