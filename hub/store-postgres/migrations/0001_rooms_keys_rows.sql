-- Append-only: a released migration is never changed, a new one follows it.
--
-- Identifiers (uri, peer, ...) are stored in their one canonical form and compared byte-wise: COLLATE "C".
-- No table refers to another: the writer holds the row of a room locked while it changes anything of the room, so a
-- reference could only be checked a second time, once per event.

-- A room that we host or follow.
-- Written by decide; deleted by nobody.
CREATE TABLE room (
    id      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- short name of the room within this database
    uri     TEXT COLLATE "C" NOT NULL UNIQUE,                -- the room
    role    TEXT   NOT NULL                                  -- which part we play in it, never changed
            CHECK (role IN ('hub', 'follower')),
    version BIGINT NOT NULL,                                 -- the fence: how many times the state was stored, from 1
    header  BYTEA  NOT NULL,                                 -- the light part of the state
    "group" BYTEA  NOT NULL                                  -- the MLS group
);

-- The room log, append-only.
-- Written by decide; deleted by nobody yet (retention).
CREATE TABLE event (
    room         BIGINT NOT NULL,               -- the room, by its id
    seq          BIGINT NOT NULL,               -- place in the room's order, from 1
    timestamp    BIGINT NOT NULL,               -- when the hub accepted it, in milliseconds
    kind         TEXT   NOT NULL                -- what it carries
                 CHECK (kind IN ('application', 'commit', 'proposal', 'welcome')),
    audience     TEXT COLLATE "C",              -- the one provider it goes to; NULL: to everyone
    bytes        BYTEA  NOT NULL,               -- the encoded FanoutMessage
    request_hash BYTEA,                         -- the request that caused it, on the first event of a request
    PRIMARY KEY (room, seq)
);

-- By which a repeated request finds its answer; no request enters a log twice.
CREATE UNIQUE INDEX event_by_request ON event (room, request_hash) WHERE request_hash IS NOT NULL;

-- An interval of a lane: what of a room's log one provider is still to get.
-- Written by decide (opens, closes) and record (moves); deleted by whichever of them completes a closed interval.
CREATE TABLE lane (
    room      BIGINT NOT NULL,                  -- the room, by its id
    peer      TEXT COLLATE "C" NOT NULL,        -- the provider
    starts    BIGINT NOT NULL,                  -- first event of the interval; names it within the lane
    ends      BIGINT,                           -- first event beyond it; NULL while it is open
    position  BIGINT NOT NULL,                  -- next event to deliver
    batch_end BIGINT,                           -- first event beyond the batch that is being sent; NULL between batches
    PRIMARY KEY (room, peer, starts)
);

-- Which provider issued a KeyPackage: where its Welcome goes.
-- Written by decide; deleted by nobody.
CREATE TABLE route (
    room      BIGINT NOT NULL,                  -- the room, by its id
    reference BYTEA  NOT NULL,                  -- the KeyPackageRef
    peer      TEXT COLLATE "C" NOT NULL,        -- the provider that issued it
    PRIMARY KEY (room, reference)
);

-- Ratchet trees of the last epochs.
-- Written by decide; deleted by the decide that stores a later one.
CREATE TABLE tree (
    room  BIGINT NOT NULL,                      -- the room, by its id
    epoch BIGINT NOT NULL,
    bytes BYTEA  NOT NULL,                      -- the ratchet tree as sent
    PRIMARY KEY (room, epoch)
);

-- A KeyPackage that was handed out and not yet used.
-- Written by claim; deleted by record when a Welcome for it was joined by.
CREATE TABLE key_package (
    reference BYTEA  NOT NULL PRIMARY KEY,      -- by which a Welcome names it
    peer      TEXT COLLATE "C" NOT NULL,        -- the provider that claimed it
    "user"    TEXT COLLATE "C" NOT NULL,        -- the hosted user
    client    TEXT COLLATE "C" NOT NULL,        -- the hosted user's client
    requester TEXT COLLATE "C" NOT NULL,        -- the user who wants to add the hosted user
    room      TEXT COLLATE "C" NOT NULL,        -- the room to add to, of any hub, so not a row of ours
    secret    BYTEA  NOT NULL,                  -- everything needed to join and to speak, sealed
    not_after BIGINT NOT NULL                   -- when its lifetime ends, in milliseconds
);

-- The answer to a claim, for those who ask again.
-- Written by claim; deleted by the next claim after it expired.
CREATE TABLE answer (
    peer         TEXT COLLATE "C" NOT NULL,     -- the provider that asked
    request_hash BYTEA  NOT NULL,               -- its request
    bytes        BYTEA  NOT NULL,               -- what it was answered
    expires      BIGINT NOT NULL,               -- in milliseconds
    PRIMARY KEY (peer, request_hash)
);

CREATE INDEX answer_by_expiry ON answer (expires);

-- Rows of the bridge and the server, opaque and versioned.
-- Written and deleted by record.
CREATE TABLE "row" (
    kind    TEXT COLLATE "C" NOT NULL,          -- whose rows
    key     BYTEA  NOT NULL,                    -- ordered byte-wise
    version BIGINT NOT NULL,                    -- how many times it was put since it was inserted, from 1
    bytes   BYTEA  NOT NULL,                    -- the content
    PRIMARY KEY (kind, key)
);
