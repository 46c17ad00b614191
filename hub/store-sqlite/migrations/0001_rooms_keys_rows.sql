-- Append-only: a released migration is never changed, a new one follows it.
--
-- Identifiers (uri, peer, ...) are stored in their one canonical form and compared byte-wise.
-- Names of constraints and columns that can fail are read by src/writer/undone.rs.

-- A room that we host or follow.
-- Written by decide; deleted by nobody.
CREATE TABLE room (
    id      INTEGER PRIMARY KEY,         -- short name of the room within this database
    uri     TEXT    NOT NULL UNIQUE,     -- the room
    role    TEXT    NOT NULL             -- which part we play in it, never changed
            CHECK (role IN ('hub', 'follower')),
    version INTEGER NOT NULL,            -- the fence: how many times the state was stored, from 1
    header  BLOB    NOT NULL,            -- the light part of the state
    "group" BLOB    NOT NULL             -- the MLS group
) STRICT;

-- The room log, append-only.
-- Written by decide; deleted by nobody yet (retention).
CREATE TABLE event (
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

-- By which a repeated request finds its answer; no request enters a log twice.
CREATE UNIQUE INDEX event_by_request ON event (room, request_hash) WHERE request_hash IS NOT NULL;

-- An interval of a lane: what of a room's log one provider is still to get.
-- Written by decide (opens, closes) and record (moves); deleted by whichever of them completes a closed interval.
CREATE TABLE lane (
    room      INTEGER NOT NULL REFERENCES room (id),
    peer      TEXT    NOT NULL,          -- the provider
    starts    INTEGER NOT NULL,          -- first event of the interval; names it within the lane
    ends      INTEGER,                   -- first event beyond it; NULL while it is open
    position  INTEGER NOT NULL,          -- next event to deliver
    batch_end INTEGER,                   -- first event beyond the batch that is being sent; NULL between batches
    PRIMARY KEY (room, peer, starts),
    CONSTRAINT lane_position_within_interval
        CHECK (position >= starts AND (ends IS NULL OR position <= ends)),
    CONSTRAINT lane_batch_ahead_within_interval
        CHECK (batch_end IS NULL OR (batch_end > position AND (ends IS NULL OR batch_end <= ends)))
) STRICT, WITHOUT ROWID;

-- Which provider issued a KeyPackage: where its Welcome goes.
-- Written by decide; deleted by nobody.
CREATE TABLE route (
    room      INTEGER NOT NULL REFERENCES room (id),
    reference BLOB    NOT NULL,          -- the KeyPackageRef
    peer      TEXT    NOT NULL,          -- the provider that issued it
    PRIMARY KEY (room, reference)
) STRICT, WITHOUT ROWID;

-- Ratchet trees of the last epochs.
-- Written by decide; deleted by the decide that stores a later one.
CREATE TABLE tree (
    room  INTEGER NOT NULL REFERENCES room (id),
    epoch INTEGER NOT NULL,
    bytes BLOB    NOT NULL,              -- the ratchet tree as sent
    UNIQUE (room, epoch)
) STRICT;

-- A KeyPackage that was handed out and not yet used.
-- Written by claim; deleted by record when a Welcome for it was joined by.
CREATE TABLE key_package (
    reference BLOB    NOT NULL UNIQUE,   -- by which a Welcome names it
    peer      TEXT    NOT NULL,          -- the provider that claimed it
    user      TEXT    NOT NULL,          -- the hosted user
    client    TEXT    NOT NULL,          -- the hosted user's client
    requester TEXT    NOT NULL,          -- the user who wants to add the hosted user
    room      TEXT    NOT NULL,          -- the room to add to, of any hub, so not a row of ours
    secret    BLOB    NOT NULL,          -- everything needed to join and to speak, sealed
    not_after INTEGER NOT NULL           -- when its lifetime ends, in milliseconds
) STRICT;

-- The answer to a claim, for those who ask again.
-- Written by claim; deleted by the next claim after it expired.
CREATE TABLE answer (
    peer         TEXT    NOT NULL,       -- the provider that asked
    request_hash BLOB    NOT NULL,       -- its request
    bytes        BLOB    NOT NULL,       -- what it was answered
    expires      INTEGER NOT NULL,       -- in milliseconds
    UNIQUE (peer, request_hash)
) STRICT;

CREATE INDEX answer_by_expiry ON answer (expires);

-- Rows of the bridge and the server, opaque and versioned.
-- Written and deleted by record.
CREATE TABLE "row" (
    kind    TEXT    NOT NULL,            -- whose rows
    key     BLOB    NOT NULL,            -- ordered byte-wise
    version INTEGER NOT NULL,            -- how many times it was put since it was inserted, from 1
    bytes   BLOB    NOT NULL,            -- the content
    UNIQUE (kind, key)
) STRICT;
