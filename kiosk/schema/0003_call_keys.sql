-- "Call next" under a key of the console: repeated after an answer that was lost, it is the same call. Kept for a day.
CREATE TABLE call_keys(
    key       TEXT    PRIMARY KEY,
    window_id TEXT    NOT NULL,
    ticket_id INTEGER NOT NULL REFERENCES tickets(ticket_id),
    at_ms     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX call_keys_by_time ON call_keys(at_ms);
