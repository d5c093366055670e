-- Accounts as grantbook keeps them: a head for each account, records that are a chain, and the requests that were accepted.
--
-- The tables refuse a wrong write by themselves, whoever makes it. Keys and checks hold the chain, at every isolation
-- level; triggers say what may happen to a head, and keep what is written from being changed.
--
-- Ids are the application's own text, and compare byte by byte: COLLATE "C".

-- Where each account's chain of records stands. A row for each account that was ever opened; it stays for good.
CREATE TABLE grantbook.heads (
    account text COLLATE "C" PRIMARY KEY CHECK (octet_length(account) BETWEEN 1 AND 128),
    version bigint NOT NULL CHECK (version >= 1),
    digest text COLLATE "C" NOT NULL CHECK (octet_length(digest) = 64),
    state text NOT NULL CHECK (state IN ('open', 'closed', 'erased')),
    -- The record that it stands at; none, where all are erased.
    stands_at bigint GENERATED ALWAYS AS (CASE WHEN state <> 'erased' THEN version END) STORED
);

CREATE TABLE grantbook.records (
    account text COLLATE "C" NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    -- The digest of the record before it; the first has none.
    before text COLLATE "C" CHECK ((before IS NULL) = (version = 1)),
    digest text COLLATE "C" NOT NULL,
    record jsonb NOT NULL,
    previous bigint GENERATED ALWAYS AS (NULLIF(version - 1, 0)) STORED,

    PRIMARY KEY (account, version),
    CONSTRAINT record_is_in_a_chain UNIQUE (account, version, digest),
    CONSTRAINT record_follows_another
        FOREIGN KEY (account, previous, before) REFERENCES grantbook.records (account, version, digest),
    CONSTRAINT record_is_of_an_account FOREIGN KEY (account) REFERENCES grantbook.heads (account),
    -- What the record says of itself is where it stands. A missing key would make it null, and a check passes null.
    CONSTRAINT record_is_of_its_row CHECK ((
        jsonb_typeof(record -> 'account') = 'string' AND record ->> 'account' = account
        AND jsonb_typeof(record -> 'version') = 'number' AND record ->> 'version' = version::text
        AND record ->> 'digest' = digest
    ) IS TRUE)
);

ALTER TABLE grantbook.heads ADD CONSTRAINT head_stands_at_a_record
    FOREIGN KEY (account, stands_at, digest) REFERENCES grantbook.records (account, version, digest);

-- The requests that were accepted, also those that changed nothing: versions after `before`, up to `version`, are theirs.
CREATE TABLE grantbook.requests (
    account text COLLATE "C" NOT NULL REFERENCES grantbook.heads (account),
    key text COLLATE "C" NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 128),
    before bigint NOT NULL CHECK (before >= 0),
    version bigint NOT NULL CHECK (version >= before),
    request jsonb NOT NULL,

    CONSTRAINT request_is_kept_once PRIMARY KEY (account, key),
    CONSTRAINT request_led_to_a_record
        FOREIGN KEY (account, version) REFERENCES grantbook.records (account, version),
    CONSTRAINT request_is_of_its_row CHECK ((
        request ->> 'key' = key AND request ->> 'before' = before::text AND request ->> 'version' = version::text
    ) IS TRUE)
);

-- The latest snapshot of each account: it saves reading all records, and can be deleted at any time.
CREATE TABLE grantbook.snapshots (
    account text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    digest text COLLATE "C" NOT NULL,
    -- As it was written: nobody looks into it, and it may be larger than a jsonb can be.
    snapshot json NOT NULL,

    CONSTRAINT snapshot_is_of_a_record
        FOREIGN KEY (account, version, digest) REFERENCES grantbook.records (account, version, digest),
    CONSTRAINT snapshot_is_of_its_row CHECK ((
        json_typeof(snapshot -> 'account') = 'string' AND snapshot ->> 'account' = account
        AND json_typeof(snapshot -> 'version') = 'number' AND snapshot ->> 'version' = version::text
        AND snapshot ->> 'digest' = digest
    ) IS TRUE)
);

-- A head moves forward, along its chain, and ends: open, closed, erased. It never goes.
CREATE FUNCTION grantbook.head_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'the id of account % is never used again', OLD.account USING ERRCODE = 'restrict_violation';
    ELSIF NEW.account <> OLD.account OR NEW.version < OLD.version
        OR (NEW.version = OLD.version) <> (NEW.digest = OLD.digest)
        OR (NEW.version > OLD.version AND OLD.state <> 'open')
        OR (OLD.state, NEW.state) NOT IN
            (('open', 'open'), ('open', 'closed'), ('closed', 'closed'), ('closed', 'erased'), ('erased', 'erased'))
    THEN
        RAISE EXCEPTION 'the head of account % cannot move so', OLD.account USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER head_moves BEFORE UPDATE OR DELETE ON grantbook.heads
    FOR EACH ROW EXECUTE FUNCTION grantbook.head_moves();

-- At the end of a statement, an account's head stands at its last record, and says whether that one closed it.
CREATE FUNCTION grantbook.head_is_at_the_end() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    head grantbook.heads;
    last grantbook.records;
BEGIN
    SELECT * INTO head FROM grantbook.heads WHERE account = NEW.account;
    SELECT * INTO last FROM grantbook.records WHERE account = NEW.account ORDER BY version DESC LIMIT 1;
    IF head.state <> 'erased' AND (
        (head.version, head.digest) IS DISTINCT FROM (last.version, last.digest)
        OR (head.state = 'closed') <> coalesce(last.record -> 'event' ->> 'kind' = 'account-closed', false)
    ) THEN
        RAISE EXCEPTION 'the head of account % is not its last record', NEW.account USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER head_is_at_the_end AFTER INSERT OR UPDATE ON grantbook.heads
    FOR EACH ROW EXECUTE FUNCTION grantbook.head_is_at_the_end();

-- No record stands beyond its account's head.
CREATE FUNCTION grantbook.record_is_within() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM grantbook.heads
        WHERE account = NEW.account AND version >= NEW.version AND state <> 'erased'
    ) THEN
        RAISE EXCEPTION 'record % of account % is beyond its head', NEW.version, NEW.account
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER record_is_within AFTER INSERT ON grantbook.records
    FOR EACH ROW EXECUTE FUNCTION grantbook.record_is_within();

-- What is written is not changed, and goes only with its account.
CREATE FUNCTION grantbook.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS
        (SELECT FROM grantbook.heads WHERE account = OLD.account AND state = 'erased')
    THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'grantbook.% is append-only: % is refused', TG_TABLE_NAME, lower(TG_OP)
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON grantbook.records
    FOR EACH ROW EXECUTE FUNCTION grantbook.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON grantbook.requests
    FOR EACH ROW EXECUTE FUNCTION grantbook.refuse_change();

CREATE FUNCTION grantbook.refuse_emptying() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'grantbook.% is append-only: truncate is refused', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER not_emptied BEFORE TRUNCATE ON grantbook.heads EXECUTE FUNCTION grantbook.refuse_emptying();
CREATE TRIGGER not_emptied BEFORE TRUNCATE ON grantbook.records EXECUTE FUNCTION grantbook.refuse_emptying();
CREATE TRIGGER not_emptied BEFORE TRUNCATE ON grantbook.requests EXECUTE FUNCTION grantbook.refuse_emptying();
