-- Accounts of grantbook, schema 1. What must hold is said here, so that no program can write otherwise by mistake. All
-- names begin with `grantbook_`, so the tables can stand beside those of an application.

CREATE TABLE grantbook_schema (
    number INTEGER NOT NULL CHECK (number = 1)
) STRICT;

INSERT INTO grantbook_schema (number) VALUES (1);

-- Where each account's chain of records stands. A row for each account that was ever opened; it stays for good.
CREATE TABLE grantbook_heads (
    account TEXT    NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL CHECK (version >= 0),
    digest  TEXT    NOT NULL CHECK (length(digest) = 64),
    state   TEXT    NOT NULL CHECK (state IN ('open', 'closed', 'erased'))
) STRICT, WITHOUT ROWID;

-- What happened, one row a version. Inserting one moves the head on; only what follows the head can be inserted.
CREATE TABLE grantbook_records (
    account TEXT    NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    before  TEXT    NOT NULL,
    digest  TEXT    NOT NULL,
    record  TEXT    NOT NULL CHECK (
        json_valid(record)
        AND json_extract(record, '$.account') IS account
        AND json_extract(record, '$.version') IS version
        AND json_extract(record, '$.digest') IS digest
    ),
    PRIMARY KEY (account, version)
) STRICT;

-- The requests that were accepted, also those that changed nothing: versions `before` + 1 to `version` are theirs.
CREATE TABLE grantbook_requests (
    account TEXT    NOT NULL,
    key     TEXT    NOT NULL,
    before  INTEGER NOT NULL CHECK (before >= 0),
    version INTEGER NOT NULL CHECK (version >= before AND version >= 1),
    request TEXT    NOT NULL CHECK (
        json_valid(request)
        AND json_extract(request, '$.key') IS key
        AND json_extract(request, '$.before') IS before
        AND json_extract(request, '$.version') IS version
    ),
    PRIMARY KEY (account, key)
) STRICT, WITHOUT ROWID;

-- The latest snapshot of each account: it can be made from the records, so it may be deleted.
CREATE TABLE grantbook_snapshots (
    account  TEXT    NOT NULL PRIMARY KEY,
    version  INTEGER NOT NULL CHECK (version >= 1),
    snapshot TEXT    NOT NULL CHECK (
        json_valid(snapshot)
        AND json_extract(snapshot, '$.account') IS account
        AND json_extract(snapshot, '$.version') IS version
    )
) STRICT;

-- A new account: version 0, and the digest that stands before the first record.
CREATE TRIGGER grantbook_heads_begin BEFORE INSERT ON grantbook_heads
BEGIN
    -- `INSERT OR REPLACE` would replace it otherwise.
    SELECT RAISE(ABORT, 'an account is opened once')
    WHERE EXISTS (SELECT 1 FROM grantbook_heads WHERE account = NEW.account);
    SELECT RAISE(ABORT, 'an account begins before its first record')
    WHERE NEW.version <> 0 OR NEW.state <> 'open' OR NEW.digest <> hex(zeroblob(32));
END;

-- The head moves with the records: by one version, to a record that is there, or it ends.
CREATE TRIGGER grantbook_heads_move BEFORE UPDATE ON grantbook_heads
BEGIN
    SELECT RAISE(ABORT, 'an account keeps its id')
    WHERE NEW.account <> OLD.account;
    SELECT RAISE(ABORT, 'a closed account stays closed, and an erased one erased')
    WHERE (OLD.state, NEW.state) NOT IN (
        VALUES ('open', 'open'), ('open', 'closed'), ('closed', 'erased'), ('erased', 'erased')
    );
    SELECT RAISE(ABORT, 'a head moves to the next record')
    WHERE (NEW.version, NEW.digest) <> (OLD.version, OLD.digest)
    AND (
        OLD.state <> 'open'
        OR NEW.version <> OLD.version + 1
        OR NOT EXISTS (
            SELECT 1 FROM grantbook_records
            WHERE account = NEW.account AND version = NEW.version
            AND before = OLD.digest AND digest = NEW.digest
        )
    );
    SELECT RAISE(ABORT, 'an account is closed by its last record')
    WHERE (OLD.state, NEW.state) = ('open', 'closed')
    AND (
        SELECT json_extract(record, '$.event.kind') FROM grantbook_records
        WHERE account = NEW.account AND version = NEW.version
    ) IS NOT 'account-closed';
END;

CREATE TRIGGER grantbook_heads_stay BEFORE DELETE ON grantbook_heads
BEGIN
    SELECT RAISE(ABORT, 'an id is never used again');
END;

CREATE TRIGGER grantbook_records_follow BEFORE INSERT ON grantbook_records
BEGIN
    SELECT RAISE(ABORT, 'a record follows the head')
    WHERE NOT EXISTS (
        SELECT 1 FROM grantbook_heads
        WHERE account = NEW.account AND state = 'open' AND version = NEW.version - 1 AND digest = NEW.before
    );
END;

CREATE TRIGGER grantbook_records_move_the_head AFTER INSERT ON grantbook_records
BEGIN
    UPDATE grantbook_heads SET
        version = NEW.version,
        digest = NEW.digest,
        state = iif(json_extract(NEW.record, '$.event.kind') IS 'account-closed', 'closed', 'open')
    WHERE account = NEW.account;
END;

CREATE TRIGGER grantbook_records_are_not_updated BEFORE UPDATE ON grantbook_records
BEGIN
    SELECT RAISE(ABORT, 'records are kept as they are');
END;

CREATE TRIGGER grantbook_records_are_not_deleted BEFORE DELETE ON grantbook_records
WHEN (SELECT state FROM grantbook_heads WHERE account = OLD.account) IS NOT 'erased'
BEGIN
    SELECT RAISE(ABORT, 'records are kept as they are');
END;

CREATE TRIGGER grantbook_requests_are_kept_once BEFORE INSERT ON grantbook_requests
BEGIN
    SELECT RAISE(ABORT, 'a request is kept once')
    WHERE EXISTS (SELECT 1 FROM grantbook_requests WHERE account = NEW.account AND key = NEW.key);
    SELECT RAISE(ABORT, 'a request is kept with its last record')
    WHERE NEW.version IS NOT (SELECT version FROM grantbook_heads WHERE account = NEW.account AND state <> 'erased');
END;

CREATE TRIGGER grantbook_requests_are_not_updated BEFORE UPDATE ON grantbook_requests
BEGIN
    SELECT RAISE(ABORT, 'requests are kept as they are');
END;

CREATE TRIGGER grantbook_requests_are_not_deleted BEFORE DELETE ON grantbook_requests
WHEN (SELECT state FROM grantbook_heads WHERE account = OLD.account) IS NOT 'erased'
BEGIN
    SELECT RAISE(ABORT, 'requests are kept as they are');
END;

CREATE TRIGGER grantbook_snapshots_are_of_heads BEFORE INSERT ON grantbook_snapshots
BEGIN
    SELECT RAISE(ABORT, 'a snapshot is of the last record')
    WHERE NOT EXISTS (
        SELECT 1 FROM grantbook_heads
        WHERE account = NEW.account AND version = NEW.version AND state <> 'erased'
        AND digest IS json_extract(NEW.snapshot, '$.digest')
    );
END;

CREATE TRIGGER grantbook_snapshots_are_not_updated BEFORE UPDATE ON grantbook_snapshots
BEGIN
    SELECT RAISE(ABORT, 'a snapshot is replaced by a later one, not changed');
END;
