-- Accounts of grantbook, schema 1. What must hold is said here, so that no program can write otherwise by mistake.

-- The requests that were kept, each once. A commit is inserted before its records, in the same transaction.
CREATE TABLE commits (
    account TEXT    NOT NULL,
    id      TEXT    NOT NULL,
    first   INTEGER NOT NULL CHECK (first >= 1),
    last    INTEGER NOT NULL CHECK (last >= first),
    PRIMARY KEY (account, id),
    UNIQUE (account, last)
) STRICT, WITHOUT ROWID;

-- What happened, one row a version. It has row ids, because a record can be large.
CREATE TABLE records (
    account TEXT    NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    record  TEXT    NOT NULL CHECK (
        json_valid(record)
        AND json_extract(record, '$.account') IS account
        AND json_extract(record, '$.version') IS version
    ),
    PRIMARY KEY (account, version)
) STRICT;

-- The latest snapshot of each account: it can be calculated from the records, so it may be deleted.
CREATE TABLE snapshots (
    account  TEXT    NOT NULL PRIMARY KEY,
    version  INTEGER NOT NULL CHECK (version >= 1),
    snapshot TEXT    NOT NULL CHECK (
        json_valid(snapshot)
        AND json_extract(snapshot, '$.account') IS account
        AND json_extract(snapshot, '$.version') IS version
    )
) STRICT;

CREATE TRIGGER commits_follow BEFORE INSERT ON commits
BEGIN
    -- `INSERT OR REPLACE` would replace it otherwise.
    SELECT RAISE(ABORT, 'a commit is kept once')
    WHERE EXISTS (SELECT 1 FROM commits WHERE account = NEW.account AND id = NEW.id);
    SELECT RAISE(ABORT, 'a commit follows the one before it')
    WHERE NEW.first IS NOT 1 + coalesce((SELECT max(last) FROM commits WHERE account = NEW.account), 0);
    SELECT RAISE(ABORT, 'records of the commit before are missing')
    WHERE NEW.first IS NOT 1 + coalesce((SELECT max(version) FROM records WHERE account = NEW.account), 0);
END;

CREATE TRIGGER records_follow BEFORE INSERT ON records
BEGIN
    SELECT RAISE(ABORT, 'a record follows the one before it')
    WHERE NEW.version IS NOT 1 + coalesce((SELECT max(version) FROM records WHERE account = NEW.account), 0);
    SELECT RAISE(ABORT, 'a record belongs to the last commit')
    WHERE NEW.version > coalesce((SELECT max(last) FROM commits WHERE account = NEW.account), 0);
END;

CREATE TRIGGER snapshots_are_of_records BEFORE INSERT ON snapshots
BEGIN
    SELECT RAISE(ABORT, 'a snapshot is of the last record')
    WHERE NEW.version IS NOT (SELECT max(version) FROM records WHERE account = NEW.account);
END;

CREATE TRIGGER commits_are_not_updated BEFORE UPDATE ON commits
BEGIN
    SELECT RAISE(ABORT, 'commits are kept as they are');
END;

CREATE TRIGGER commits_are_not_deleted BEFORE DELETE ON commits
BEGIN
    SELECT RAISE(ABORT, 'commits are kept as they are');
END;

CREATE TRIGGER records_are_not_updated BEFORE UPDATE ON records
BEGIN
    SELECT RAISE(ABORT, 'records are kept as they are');
END;

CREATE TRIGGER records_are_not_deleted BEFORE DELETE ON records
BEGIN
    SELECT RAISE(ABORT, 'records are kept as they are');
END;

CREATE TRIGGER snapshots_are_not_updated BEFORE UPDATE ON snapshots
BEGIN
    SELECT RAISE(ABORT, 'a snapshot is replaced by a later one, not changed');
END;
