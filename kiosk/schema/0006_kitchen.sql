-- Which meals the kitchen has been told of on paper. Written in the transaction of the slip itself: each order has one
-- slip, and one more when it is given back. An order is named by its call and by when it was ordered: a gateway that
-- had to begin anew counts its calls from one again.
CREATE TABLE kitchen_slips(
    call_id        INTEGER NOT NULL,
    ordered_ms     INTEGER NOT NULL,
    slip_id        INTEGER REFERENCES slips(slip_id),   -- NULL: given back before it was told
    cancel_slip_id INTEGER REFERENCES slips(slip_id),
    state          TEXT    NOT NULL CHECK (state IN ('told', 'cancelled')),
    at_ms          INTEGER NOT NULL,
    PRIMARY KEY (call_id, ordered_ms)
) STRICT, WITHOUT ROWID;
