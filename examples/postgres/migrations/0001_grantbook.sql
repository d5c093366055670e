-- Accounts as grantbook keeps them: records, each of one accepted change, in commits that are kept whole.
--
-- The tables refuse a wrong write by themselves, whoever makes it. Keys and checks do nearly all of it, so that it holds at
-- every isolation level and on engines that know no triggers; the triggers keep what is written from being changed.
--
-- Ids are the host's own text, and compare byte by byte: COLLATE "C".

-- A commit is a stretch of an account's versions: those after `expected`, up to `version`.
CREATE TABLE grantbook.commits (
    account text COLLATE "C" NOT NULL CHECK (octet_length(account) BETWEEN 1 AND 128),
    expected bigint NOT NULL CHECK (expected >= 0),
    version bigint NOT NULL CHECK (version > expected),
    id text COLLATE "C" NOT NULL CHECK (octet_length(id) BETWEEN 1 AND 128),
    -- The version of the commit before; an account's first has none.
    previous bigint GENERATED ALWAYS AS (NULLIF(expected, 0)) STORED,

    PRIMARY KEY (account, version),
    -- One request is kept once.
    CONSTRAINT commit_is_kept_once UNIQUE (account, id),
    -- Of those who decided on the same version, one wins.
    CONSTRAINT one_commit_follows UNIQUE (account, expected),
    -- A commit follows another, so that together they leave out nothing.
    CONSTRAINT commit_follows_another FOREIGN KEY (account, previous) REFERENCES grantbook.commits (account, version)
);

CREATE TABLE grantbook.records (
    account text COLLATE "C" NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    -- The version of the last record of its commit.
    through bigint NOT NULL CHECK (through >= version),
    record jsonb NOT NULL,
    previous bigint GENERATED ALWAYS AS (NULLIF(version - 1, 0)) STORED,

    PRIMARY KEY (account, version),
    CONSTRAINT record_follows_another FOREIGN KEY (account, previous) REFERENCES grantbook.records (account, version),
    CONSTRAINT record_is_of_a_commit FOREIGN KEY (account, through) REFERENCES grantbook.commits (account, version),
    -- What the record says of itself is where it stands. A missing key would make it null, and a check passes null.
    CONSTRAINT record_is_of_its_row CHECK ((
        jsonb_typeof(record -> 'account') = 'string' AND record ->> 'account' = account
        AND jsonb_typeof(record -> 'version') = 'number' AND record ->> 'version' = version::text
    ) IS TRUE)
);

-- The two tables refer to each other, and neither waits until the end of the transaction: a commit and its records come in
-- one statement, or not at all.
ALTER TABLE grantbook.commits
    ADD CONSTRAINT commit_has_its_records FOREIGN KEY (account, version) REFERENCES grantbook.records (account, version);

-- The latest snapshot of each account: it saves reading all records, and can be deleted at any time.
CREATE TABLE grantbook.snapshots (
    account text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    -- As it was written: nobody looks into it, and it may be larger than a jsonb can be.
    snapshot json NOT NULL,

    CONSTRAINT snapshot_is_of_a_record FOREIGN KEY (account, version) REFERENCES grantbook.records (account, version),
    CONSTRAINT snapshot_is_of_its_row CHECK ((
        json_typeof(snapshot -> 'account') = 'string' AND snapshot ->> 'account' = account
        AND json_typeof(snapshot -> 'version') = 'number' AND snapshot ->> 'version' = version::text
    ) IS TRUE)
);

CREATE FUNCTION grantbook.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'grantbook.% is append-only: % is refused', TG_TABLE_NAME, lower(TG_OP)
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON grantbook.commits
    FOR EACH STATEMENT EXECUTE FUNCTION grantbook.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON grantbook.records
    FOR EACH STATEMENT EXECUTE FUNCTION grantbook.refuse_change();
