-- Understood by SQLite and PostgreSQL alike. Times are seconds since the epoch, durations seconds, flags 0 or 1.

CREATE TABLE runs (
  run_id TEXT PRIMARY KEY,
  started DOUBLE PRECISION NOT NULL,
  ended DOUBLE PRECISION,
  duration DOUBLE PRECISION NOT NULL,
  outcome TEXT NOT NULL,
  verdict TEXT NOT NULL,
  exit_code INTEGER,
  operator TEXT NOT NULL,
  controller TEXT NOT NULL,
  revision TEXT NOT NULL,
  version TEXT NOT NULL,
  check_mode INTEGER NOT NULL,
  command TEXT NOT NULL,
  inventory TEXT NOT NULL,
  error TEXT NOT NULL
);

CREATE INDEX runs_by_start ON runs (started);

CREATE TABLE run_playbooks (
  run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  playbook TEXT NOT NULL,
  PRIMARY KEY (run_id, position)
);

CREATE TABLE host_results (
  run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
  host TEXT NOT NULL,
  ok INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  unreachable INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  skipped INTEGER NOT NULL,
  rescued INTEGER NOT NULL,
  ignored INTEGER NOT NULL,
  unknown INTEGER NOT NULL,
  seconds DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (run_id, host)
);

CREATE INDEX host_results_by_host ON host_results (host, run_id);

CREATE TABLE tasks (
  run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  play TEXT NOT NULL,
  task TEXT NOT NULL,
  role TEXT NOT NULL,
  module TEXT NOT NULL,
  place TEXT NOT NULL,
  handler INTEGER NOT NULL,
  PRIMARY KEY (run_id, position)
);

CREATE TABLE task_results (
  run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  task INTEGER NOT NULL,
  host TEXT NOT NULL,
  outcome TEXT NOT NULL,
  changed INTEGER NOT NULL,
  started DOUBLE PRECISION NOT NULL,
  duration DOUBLE PRECISION NOT NULL,
  message TEXT NOT NULL,
  diff TEXT NOT NULL,
  PRIMARY KEY (run_id, position)
);

CREATE TABLE metrics (
  run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
  host TEXT NOT NULL,
  name TEXT NOT NULL,
  value DOUBLE PRECISION NOT NULL,
  at DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (run_id, host, name)
);

CREATE INDEX metrics_by_name ON metrics (name, host, at);

CREATE TABLE verdicts (
  run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  host TEXT NOT NULL,
  name TEXT NOT NULL,
  level TEXT NOT NULL,
  message TEXT NOT NULL,
  PRIMARY KEY (run_id, position)
);
