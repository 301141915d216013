-- The largest number that is known to have been given, where the tickets themselves are not: `linli restore` writes
-- it, so that after a backup was put back no number is given to two people. Rows only matter on their own day.
CREATE TABLE number_floor(
    business_day TEXT    NOT NULL,
    prefix       TEXT    NOT NULL,
    number       INTEGER NOT NULL CHECK (number > 0),
    PRIMARY KEY (business_day, prefix)
) STRICT, WITHOUT ROWID;
