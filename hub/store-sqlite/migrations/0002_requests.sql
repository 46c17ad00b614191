-- Requests move out of the log's own index into a table that is filled in bulk (docs/decisions/0011).
--
-- Hashes are scattered: an index that gets each with its event writes a page of 4 KiB for each, three times the event.

-- The room log, append-only; as before, with a number that says what came later, whatever becomes of the file.
-- Written by decide; deleted by nobody yet (retention).
CREATE TABLE numbered_event (
    number       INTEGER PRIMARY KEY,    -- the order in which events of all rooms were stored
    room         INTEGER NOT NULL REFERENCES room (id),
    seq          INTEGER NOT NULL,       -- place in the room's order, from 1
    timestamp    INTEGER NOT NULL,       -- when the hub accepted it, in milliseconds
    kind         TEXT    NOT NULL        -- what it carries
                 CHECK (kind IN ('application', 'commit', 'proposal', 'welcome')),
    audience     TEXT,                   -- the one provider it goes to; NULL: to everyone
    bytes        BLOB    NOT NULL,       -- the encoded FanoutMessage
    request_hash BLOB,                   -- the request that caused it, on the first event of a request
    UNIQUE (room, seq)
) STRICT;

INSERT INTO numbered_event (room, seq, timestamp, kind, audience, bytes, request_hash)
SELECT room, seq, timestamp, kind, audience, bytes, request_hash FROM event ORDER BY rowid;

DROP TABLE event;
ALTER TABLE numbered_event RENAME TO event;

-- By which a repeated request finds its answer; no request enters a log twice.
-- Written by the writer, thousands at a time; those of the events behind `request_table.up_to` it holds in memory.
CREATE TABLE request (
    room         INTEGER NOT NULL REFERENCES room (id),
    request_hash BLOB    NOT NULL,
    seq          INTEGER NOT NULL,       -- the event that it caused
    PRIMARY KEY (room, request_hash)
) STRICT, WITHOUT ROWID;

-- One row: how far the table of requests has got.
CREATE TABLE request_table (
    up_to INTEGER NOT NULL               -- the number of the last event whose request is in it
) STRICT;

INSERT INTO request SELECT room, request_hash, seq FROM event WHERE request_hash IS NOT NULL;
INSERT INTO request_table SELECT coalesce(max(number), 0) FROM event;
