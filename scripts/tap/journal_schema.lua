--- The journal's tables, and how an older journal becomes a newer one: each entry is what one version added. An entry
-- is never changed once it has been released.

return {
  [[
  CREATE TABLE runs (id TEXT PRIMARY KEY, workflow TEXT NOT NULL, script TEXT, script_hash TEXT, argv TEXT NOT NULL,
    cwd TEXT, began REAL NOT NULL, ended REAL, outcome TEXT, exit INTEGER, stack TEXT, region TEXT, who TEXT, host TEXT,
    pid INTEGER, cause TEXT);
  CREATE INDEX runs_by_time ON runs (began);
  CREATE TABLE steps (run TEXT NOT NULL, seq INTEGER NOT NULL, name TEXT NOT NULL, began REAL NOT NULL, ended REAL,
    status TEXT NOT NULL, result TEXT, error TEXT, PRIMARY KEY (run, seq));
  CREATE TABLE requests (run TEXT NOT NULL, seq INTEGER NOT NULL, at REAL NOT NULL, operation TEXT NOT NULL, verb TEXT,
    stack TEXT, stack_id TEXT, token TEXT, answered REAL, refused TEXT, PRIMARY KEY (run, seq));
  CREATE TABLE events (event_id TEXT PRIMARY KEY, run TEXT NOT NULL, stack_id TEXT, at REAL, logical_id TEXT,
    type TEXT, status TEXT, reason TEXT);
  CREATE INDEX events_by_run ON events (run);
  CREATE TABLE durations (type TEXT NOT NULL, verb TEXT NOT NULL, seconds REAL NOT NULL, at REAL NOT NULL);
  CREATE INDEX durations_by_type ON durations (type, verb, at);
  CREATE TABLE versions (stack_id TEXT NOT NULL, stack TEXT NOT NULL, region TEXT, n INTEGER NOT NULL, at REAL NOT NULL,
    run TEXT, template TEXT, parameters TEXT, tags TEXT, outputs TEXT, capabilities TEXT, who TEXT, host TEXT,
    PRIMARY KEY (stack_id, n));
  CREATE INDEX versions_by_stack ON versions (stack, at);
  ]],
  [[
  CREATE TABLE locks (name TEXT PRIMARY KEY, run TEXT NOT NULL, pid INTEGER NOT NULL, host TEXT, who TEXT, at REAL);
  ]],
  [[
  ALTER TABLE runs ADD COLUMN profile TEXT;
  ALTER TABLE runs ADD COLUMN endpoint TEXT;
  ]],
  -- A resource's events are named by its logical id, its status and the time: other stacks may have one of that name.
  [[
  ALTER TABLE events RENAME TO former_events;
  CREATE TABLE events (event_id TEXT NOT NULL, run TEXT NOT NULL, stack_id TEXT NOT NULL, at REAL, logical_id TEXT,
    type TEXT, status TEXT, reason TEXT, PRIMARY KEY (stack_id, event_id));
  INSERT INTO events SELECT event_id, run, ifnull(stack_id, ''), at, logical_id, type, status, reason
    FROM former_events ORDER BY rowid;
  DROP TABLE former_events;
  CREATE INDEX events_by_run ON events (run);
  ]],
}
