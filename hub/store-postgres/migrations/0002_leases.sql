-- Who works on what, among the processes that share this database.
-- Written and deleted by lease.
CREATE TABLE lease (
    key     TEXT COLLATE "C" NOT NULL PRIMARY KEY, -- what is held
    holder  TEXT COLLATE "C" NOT NULL,             -- the process that holds it
    place   TEXT NOT NULL,                         -- where it is, for people who look
    until   TIMESTAMPTZ NOT NULL                   -- when it runs out, by the clock of the server
);

-- Called at the start of each transaction that writes: fails for a process that holds nothing any more.
-- The lock lets whoever holds it next wait for those that began before.
CREATE FUNCTION work_as(process TEXT) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7020);
    IF NOT EXISTS (SELECT FROM lease WHERE holder = process) THEN
        RAISE EXCEPTION 'another process is at work';
    END IF;
END
$$;
