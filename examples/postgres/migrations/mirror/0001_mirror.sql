-- What accounts grant, in tables of its own: so that the database itself decides, in row-level security above all.
--
-- It is made from the records alone, by a trigger, in the transaction that keeps them, and each record changes only the
-- rows that it is about. It can be dropped and filled again at any time. Nobody but its owner writes it: the trigger and
-- the functions that read it run with the rights of the one who migrated, and the application's role needs none.

-- Where each account's mirror stands. It answers only where the account's head stands.
CREATE TABLE grantbook.mirrors (
    account text COLLATE "C" PRIMARY KEY REFERENCES grantbook.heads (account),
    version bigint NOT NULL,
    digest text COLLATE "C" NOT NULL
);

CREATE TABLE grantbook.stores (
    account text COLLATE "C" NOT NULL REFERENCES grantbook.mirrors (account) ON DELETE CASCADE,
    store text COLLATE "C" NOT NULL,
    PRIMARY KEY (account, store)
);

CREATE TABLE grantbook.members (
    account text COLLATE "C" NOT NULL REFERENCES grantbook.mirrors (account) ON DELETE CASCADE,
    member text COLLATE "C" NOT NULL,
    status text NOT NULL CHECK (status IN ('invited', 'active', 'suspended')),
    -- Of somebody who is invited: whether it will be.
    is_owner boolean NOT NULL,
    PRIMARY KEY (account, member)
);
CREATE INDEX accounts_of_a_member ON grantbook.members (member, account);

-- Who leaves the account leaves its groups.
CREATE TABLE grantbook.member_groups (
    account text COLLATE "C" NOT NULL,
    member text COLLATE "C" NOT NULL,
    group_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (account, member, group_id),
    FOREIGN KEY (account, member) REFERENCES grantbook.members (account, member) ON DELETE CASCADE
);

-- A row for each store, or one without a store for the account. A store that is deleted leaves every scope (S3).
CREATE TABLE grantbook.group_grants (
    account text COLLATE "C" NOT NULL REFERENCES grantbook.mirrors (account) ON DELETE CASCADE,
    group_id text COLLATE "C" NOT NULL,
    role text COLLATE "C" NOT NULL,
    store text COLLATE "C",
    FOREIGN KEY (account, store) REFERENCES grantbook.stores (account, store) ON DELETE CASCADE
);
CREATE UNIQUE INDEX granted_once ON grantbook.group_grants (account, group_id, role, coalesce(store, ''));
CREATE INDEX granted_in_a_store ON grantbook.group_grants (account, store, group_id);

-- The account's own roles.
CREATE TABLE grantbook.role_permissions (
    account text COLLATE "C" NOT NULL REFERENCES grantbook.mirrors (account) ON DELETE CASCADE,
    role text COLLATE "C" NOT NULL,
    permission text COLLATE "C" NOT NULL,
    PRIMARY KEY (account, role, permission)
);

-- The roles that every account has (L5).
CREATE VIEW grantbook.built_in_roles (role, permission) AS VALUES
    ('group-manager', 'account.invite_members'),
    ('group-manager', 'account.manage_groups'),
    ('store-editor', 'store.read'),
    ('store-editor', 'store.write'),
    ('store-viewer', 'store.read');

-- What members hold, and where: in a store, or at the account, without a store. A permission stands for those that extend
-- it (L7), and none for all (P2). Only active members of open accounts hold anything (P4).
CREATE VIEW grantbook.holdings (account, member, store, permission) AS
SELECT account, member, held.store, held.permission
FROM grantbook.members JOIN grantbook.mirrors USING (account) JOIN grantbook.heads USING (account, version, digest)
CROSS JOIN LATERAL (
    SELECT NULL::text COLLATE "C", NULL::text COLLATE "C" WHERE is_owner
    UNION ALL
    SELECT store, NULL FROM grantbook.stores WHERE is_owner AND stores.account = members.account
    UNION ALL
    SELECT store, permission
    FROM grantbook.member_groups JOIN grantbook.group_grants USING (account, group_id)
    CROSS JOIN LATERAL (
        SELECT permission FROM grantbook.role_permissions AS own
        WHERE own.account = group_grants.account AND own.role = group_grants.role
        UNION ALL
        SELECT permission FROM grantbook.built_in_roles AS own WHERE own.role = group_grants.role
    ) AS role
    WHERE member_groups.account = members.account AND member_groups.member = members.member
) AS held (store, permission)
WHERE status = 'active' AND state = 'open';

-- The permissions that include this one (L7), itself among them; null, if it is no permission (L4).
CREATE FUNCTION grantbook.included_in(permission text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
    segments text[];
    including text[];
    prefix text;
BEGIN
    IF octet_length(permission) > 64
        OR permission COLLATE "C" !~ '^[a-z][a-z0-9_-]{0,31}(\.[a-z][a-z0-9_-]{0,31})+$'
    THEN
        RETURN NULL;
    END IF;
    segments := string_to_array(permission, '.');
    prefix := segments[1];
    FOR number IN 2 .. cardinality(segments) LOOP
        prefix := prefix || '.' || segments[number];
        including := including || prefix;
    END LOOP;
    RETURN including;
END
$$;

-- Whether this member may do this in this store, as the library's `Account::can` says. False of anything unknown or null.
CREATE FUNCTION grantbook.can(account text, member text, permission text, store text) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    including text[] := grantbook.included_in(can.permission);
BEGIN
    RETURN including IS NOT NULL AND EXISTS (
        SELECT FROM grantbook.holdings AS held
        WHERE held.account = can.account AND held.member = can.member AND held.store = can.store
            AND (held.permission IS NULL OR held.permission = ANY (including))
    );
END
$$;

-- The same at the account.
CREATE FUNCTION grantbook.can(account text, member text, permission text) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    including text[] := grantbook.included_in(can.permission);
BEGIN
    RETURN including IS NOT NULL AND EXISTS (
        SELECT FROM grantbook.holdings AS held
        WHERE held.account = can.account AND held.member = can.member AND held.store IS NULL
            AND (held.permission IS NULL OR held.permission = ANY (including))
    );
END
$$;

-- All stores, of all accounts, where this member may do this: for a policy that asks once for a whole statement.
CREATE FUNCTION grantbook.stores_where(member text, permission text) RETURNS TABLE (account text, store text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    including text[] := grantbook.included_in(stores_where.permission);
BEGIN
    RETURN QUERY SELECT DISTINCT held.account, held.store FROM grantbook.holdings AS held
        WHERE including IS NOT NULL AND held.member = stores_where.member AND held.store IS NOT NULL
            AND (held.permission IS NULL OR held.permission = ANY (including));
END
$$;

-- A row for each role and store of these grants, without a store at the account.
CREATE FUNCTION grantbook.granted(grants jsonb) RETURNS TABLE (role text, store text) LANGUAGE sql IMMUTABLE AS $$
    SELECT one ->> 'role', NULL FROM jsonb_array_elements(grants) AS one WHERE one -> 'scope' = '"account"'
    UNION
    SELECT one ->> 'role', store
    FROM jsonb_array_elements(grants) AS one, jsonb_array_elements_text(one -> 'scope' -> 'stores') AS store
$$;

-- What one event changes.
CREATE FUNCTION grantbook.mirror_event(of_account text, event jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    of_member text := event ->> 'member';
    of_group text := event ->> 'group';
    of_role text := event ->> 'role';
    of_store text := event ->> 'store';
BEGIN
    CASE event ->> 'kind'
    WHEN 'account-opened' THEN
        INSERT INTO grantbook.members VALUES (of_account, event ->> 'owner', 'active', true);
    WHEN 'member-invited' THEN
        -- One that has expired is gone, with all that it promised (M3).
        DELETE FROM grantbook.members WHERE account = of_account AND member = of_member;
        INSERT INTO grantbook.members VALUES (of_account, of_member, 'invited', (event ->> 'as_owner')::boolean);
    WHEN 'invitation-accepted', 'member-reinstated' THEN
        UPDATE grantbook.members SET status = 'active' WHERE account = of_account AND member = of_member;
    WHEN 'member-suspended' THEN
        UPDATE grantbook.members SET status = 'suspended' WHERE account = of_account AND member = of_member;
    WHEN 'ownership-granted' THEN
        UPDATE grantbook.members SET is_owner = true WHERE account = of_account AND member = of_member;
    WHEN 'ownership-revoked' THEN
        UPDATE grantbook.members SET is_owner = false WHERE account = of_account AND member = of_member;
    WHEN 'members-added' THEN
        -- An invitation ends, and its member starts from nothing (M7).
        DELETE FROM grantbook.members WHERE account = of_account
            AND member IN (SELECT jsonb_array_elements_text(event -> 'members'));
        INSERT INTO grantbook.members
            SELECT of_account, added, 'active', false FROM jsonb_array_elements_text(event -> 'members') AS added;
    WHEN 'members-removed' THEN
        DELETE FROM grantbook.members WHERE account = of_account
            AND member IN (SELECT jsonb_array_elements_text(event -> 'members'));
    WHEN 'invitation-cancelled', 'member-left' THEN
        DELETE FROM grantbook.members WHERE account = of_account AND member = of_member;
    WHEN 'store-created' THEN
        INSERT INTO grantbook.stores VALUES (of_account, of_store);
    WHEN 'store-deleted' THEN
        DELETE FROM grantbook.stores WHERE account = of_account AND store = of_store;
    WHEN 'group-created', 'group-edited' THEN
        IF jsonb_typeof(event -> 'grants') = 'array' THEN
            DELETE FROM grantbook.group_grants AS now WHERE account = of_account AND group_id = of_group
                AND NOT EXISTS (
                    SELECT FROM grantbook.granted(event -> 'grants') AS after
                    WHERE after.role = now.role AND coalesce(after.store, '') = coalesce(now.store, '')
                );
            INSERT INTO grantbook.group_grants
                SELECT of_account, of_group, role, store FROM grantbook.granted(event -> 'grants')
                ON CONFLICT DO NOTHING;
        END IF;
    WHEN 'group-deleted' THEN
        DELETE FROM grantbook.group_grants WHERE account = of_account AND group_id = of_group;
    WHEN 'added-to-group' THEN
        INSERT INTO grantbook.member_groups
            SELECT of_account, added, of_group FROM jsonb_array_elements_text(event -> 'members') AS added;
    WHEN 'removed-from-group' THEN
        DELETE FROM grantbook.member_groups WHERE account = of_account AND group_id = of_group
            AND member IN (SELECT jsonb_array_elements_text(event -> 'members'));
    WHEN 'group-members-set' THEN
        DELETE FROM grantbook.member_groups WHERE account = of_account AND group_id = of_group
            AND member IN (SELECT jsonb_array_elements_text(event -> 'removed'));
        INSERT INTO grantbook.member_groups
            SELECT of_account, added, of_group FROM jsonb_array_elements_text(event -> 'added') AS added;
    WHEN 'role-granted' THEN
        INSERT INTO grantbook.group_grants
            SELECT of_account, of_group, role, store FROM grantbook.granted(jsonb_build_array(event))
            ON CONFLICT DO NOTHING;
    WHEN 'role-revoked' THEN
        DELETE FROM grantbook.group_grants WHERE account = of_account AND group_id = of_group AND role = of_role
            AND (event -> 'stores' = 'null' OR store IN (SELECT jsonb_array_elements_text(
                CASE WHEN event -> 'stores' <> 'null' THEN event -> 'stores' END)));
    WHEN 'role-defined', 'role-changed' THEN
        IF jsonb_typeof(event -> 'permissions') = 'array' THEN
            DELETE FROM grantbook.role_permissions WHERE account = of_account AND role = of_role
                AND NOT event -> 'permissions' ? permission;
            INSERT INTO grantbook.role_permissions
                SELECT of_account, of_role, held FROM jsonb_array_elements_text(event -> 'permissions') AS held
                ON CONFLICT DO NOTHING;
        END IF;
    WHEN 'role-deleted' THEN
        DELETE FROM grantbook.role_permissions WHERE account = of_account AND role = of_role;
    WHEN 'group-limit-changed', 'account-closed' THEN
        NULL; -- Nobody holds anything in an account that is closed: its head says so.
    ELSE
        RAISE EXCEPTION 'the mirror of account % does not know events of the kind %', of_account, event ->> 'kind'
            USING ERRCODE = 'feature_not_supported', HINT = 'migrate the mirror first';
    END CASE;
END
$$;

-- Takes the mirror of an account on, over the records that follow it.
CREATE FUNCTION grantbook.mirror_on(of_account text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    following grantbook.records;
BEGIN
    FOR following IN
        SELECT records.* FROM grantbook.records JOIN grantbook.mirrors USING (account)
        WHERE account = of_account AND records.version > mirrors.version ORDER BY records.version
    LOOP
        IF following.record -> 'record' IS DISTINCT FROM '1' THEN
            RAISE EXCEPTION 'the mirror of account % does not read format % of records', of_account,
                following.record ->> 'record' USING ERRCODE = 'feature_not_supported', HINT = 'migrate the mirror first';
        END IF;
        PERFORM grantbook.mirror_event(of_account, following.record -> 'event');
    END LOOP;
    UPDATE grantbook.mirrors SET version = following.version, digest = following.digest
        WHERE account = of_account AND following.version IS NOT NULL;
END
$$;

-- Takes on the mirrors that stand just before these records. One that does not, or that there is not yet, stays as it is,
-- and answers nothing until it is filled.
CREATE FUNCTION grantbook.mirror_records() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO grantbook.mirrors SELECT account, 0, '' FROM added WHERE version = 1 ON CONFLICT DO NOTHING;
    PERFORM grantbook.mirror_on(account) FROM added JOIN grantbook.mirrors USING (account)
        WHERE added.version = mirrors.version + 1 AND coalesce(added.before, '') = mirrors.digest;
    RETURN NULL;
END
$$;

-- What is erased is erased here too (A5).
CREATE FUNCTION grantbook.erase_mirror() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM grantbook.mirrors WHERE account = NEW.account;
    RETURN NULL;
END
$$;

-- Puts the rows in that a snapshot holds.
CREATE FUNCTION grantbook.mirror_snapshot(of_account text, snapshot json) RETURNS void LANGUAGE sql AS $$
    INSERT INTO grantbook.stores SELECT of_account, json_array_elements_text(snapshot -> 'stores');
    INSERT INTO grantbook.role_permissions
        SELECT of_account, role ->> 'id', json_array_elements_text(role -> 'permissions')
        FROM json_array_elements(snapshot -> 'roles') AS role;
    INSERT INTO grantbook.group_grants
        SELECT of_account, one ->> 'id', role, store
        FROM json_array_elements(snapshot -> 'groups') AS one, grantbook.granted((one -> 'grants')::jsonb);
    INSERT INTO grantbook.members
        SELECT of_account, one ->> 'id', status.key,
            coalesce(status.value ->> 'owner', status.value ->> 'as_owner')::boolean
        FROM json_array_elements(snapshot -> 'members') AS one, json_each(one -> 'status') AS status;
    INSERT INTO grantbook.member_groups
        SELECT of_account, one ->> 'id', membership ->> 'group'
        FROM json_array_elements(snapshot -> 'members') AS one, json_array_elements(one -> 'groups') AS membership;
$$;

-- Makes the mirror of an account again, from its latest snapshot and the records after it, while nobody else changes the
-- account. Null, if there is no such account.
CREATE FUNCTION grantbook.fill_mirror(of_account text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    latest grantbook.snapshots;
BEGIN
    PERFORM FROM grantbook.heads WHERE account = of_account AND state <> 'erased' FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    -- Each by itself: what was restored past all triggers need not hang together.
    DELETE FROM grantbook.member_groups WHERE account = of_account;
    DELETE FROM grantbook.members WHERE account = of_account;
    DELETE FROM grantbook.group_grants WHERE account = of_account;
    DELETE FROM grantbook.role_permissions WHERE account = of_account;
    DELETE FROM grantbook.stores WHERE account = of_account;
    DELETE FROM grantbook.mirrors WHERE account = of_account;
    -- One that cannot be read is passed over: all records are there.
    SELECT * INTO latest FROM grantbook.snapshots WHERE account = of_account AND snapshot ->> 'snapshot' = '1';
    INSERT INTO grantbook.mirrors VALUES (of_account, coalesce(latest.version, 0), coalesce(latest.digest, ''));
    IF latest.account IS NOT NULL THEN
        PERFORM grantbook.mirror_snapshot(of_account, latest.snapshot);
    END IF;
    PERFORM grantbook.mirror_on(of_account);
    RETURN (SELECT version FROM grantbook.mirrors WHERE account = of_account);
END
$$;

-- In the order in which a commit takes them.
LOCK TABLE grantbook.heads, grantbook.records IN SHARE ROW EXCLUSIVE MODE;
CREATE TRIGGER mirror_is_erased AFTER UPDATE ON grantbook.heads
    FOR EACH ROW WHEN (NEW.state = 'erased') EXECUTE FUNCTION grantbook.erase_mirror();
CREATE TRIGGER mirror_goes_on AFTER INSERT ON grantbook.records
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION grantbook.mirror_records();
