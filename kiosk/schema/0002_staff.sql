-- Who works here, who is signed in, who tried, and who did what. Times are UTC milliseconds.

CREATE TABLE staff(
  staff_id            INTEGER PRIMARY KEY,
  name                TEXT NOT NULL,
  name_key            TEXT NOT NULL UNIQUE,   -- the name as compared: NFKC, case folded
  role                TEXT NOT NULL CHECK (role IN ('admin', 'staff')),
  password_hash       TEXT NOT NULL,          -- argon2id, with its salt and its costs
  must_change         INTEGER NOT NULL DEFAULT 0 CHECK (must_change IN (0, 1)),
  created_ms          INTEGER NOT NULL,
  created_by          TEXT NOT NULL,
  password_changed_ms INTEGER NOT NULL,
  disabled_ms         INTEGER                 -- NULL: may sign in
) STRICT;

-- The cookie holds a random word; here is only its hash, so a copied notebook signs nobody in.
CREATE TABLE staff_sessions(
  session_hash TEXT PRIMARY KEY,
  staff_id     INTEGER NOT NULL REFERENCES staff(staff_id),
  created_ms   INTEGER NOT NULL,
  active_ms    INTEGER NOT NULL,              -- the last thing that a person did
  locked_ms    INTEGER,                       -- NULL: not locked by hand
  address      TEXT NOT NULL,
  ended_ms     INTEGER,
  ended_why    TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX staff_sessions_by_staff ON staff_sessions(staff_id) WHERE ended_ms IS NULL;

-- Passwords that were tried and were not right. They outlive a restart, so pulling the plug buys no more tries.
CREATE TABLE login_attempts(
  attempt_id INTEGER PRIMARY KEY,
  name_key   TEXT NOT NULL,
  address    TEXT NOT NULL,
  at_ms      INTEGER NOT NULL
) STRICT;
CREATE INDEX login_attempts_by_address ON login_attempts(address, at_ms);

-- What was done at the console, by whom. Never holds a resident's name, a password or a token.
CREATE TABLE staff_journal(
  line_id INTEGER PRIMARY KEY,
  at_ms   INTEGER NOT NULL,
  by_name TEXT NOT NULL,
  what    TEXT NOT NULL,
  subject TEXT NOT NULL DEFAULT '',
  detail  TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX staff_journal_by_time ON staff_journal(at_ms);
