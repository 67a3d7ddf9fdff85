"""Deliveries, rows of invitations that came to nothing, and old events can be let go of.

Each batch has a row in `let_go`, with the links of the hash chain whose rows went. A downgrade
loses these records: for `verify` and `verify --chain` the rows are gone without a reason from then
on.
"""

# ruff: noqa: S608 - the functions are made of constants alone

from typing import Final

from alembic import op

revision = "0067"
down_revision = "0065"

TABLES: Final = {
    "let_go": """
    CREATE TABLE IF NOT EXISTS let_go (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        kind VARCHAR(16) NOT NULL,
        since TIMESTAMP WITH TIME ZONE NOT NULL,
        until TIMESTAMP WITH TIME ZONE NOT NULL,
        rows JSONB NOT NULL,
        links INT8MULTIRANGE NOT NULL,
        stage_changes BIGINT,
        digest TEXT,
        let_go_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_let_go PRIMARY KEY (id)
    )
    """,
    "let_go_deliveries": """
    CREATE TABLE IF NOT EXISTS let_go_deliveries (
        referral_id UUID NOT NULL,
        let_go_id BIGINT NOT NULL,
        until TIMESTAMP WITH TIME ZONE NOT NULL,
        facts BIGINT NOT NULL,
        CONSTRAINT pk_let_go_deliveries PRIMARY KEY (referral_id, let_go_id),
        CONSTRAINT fk_let_go_deliveries_referral_id
            FOREIGN KEY (referral_id) REFERENCES referrals (id)
    )
    """,
    "let_go_invitations": """
    CREATE TABLE IF NOT EXISTS let_go_invitations (
        referral_id UUID NOT NULL,
        let_go_id BIGINT NOT NULL,
        expired_at TIMESTAMP WITH TIME ZONE NOT NULL,
        reason TEXT,
        reason_code VARCHAR(32),
        clicks JSONB NOT NULL,
        last_click_at TIMESTAMP WITH TIME ZONE,
        platform VARCHAR(16),
        CONSTRAINT pk_let_go_invitations PRIMARY KEY (referral_id),
        CONSTRAINT fk_let_go_invitations_referral_id
            FOREIGN KEY (referral_id) REFERENCES referrals (id)
    )
    """,
}
INDEXES: Final = (
    "CREATE INDEX IF NOT EXISTS ix_let_go_links ON let_go USING gist (links)",
    "CREATE INDEX IF NOT EXISTS ix_let_go_deliveries_let_go_id ON let_go_deliveries (let_go_id)",
    "CREATE INDEX IF NOT EXISTS ix_let_go_invitations_let_go_id ON let_go_invitations (let_go_id)",
    "CREATE INDEX IF NOT EXISTS ix_let_go_invitations_clicks ON let_go_invitations (last_click_at)",
)
EVENTS: Final = """array[
    'ReferralInvited', 'ReferralSignedUp', 'RewardHeld', 'RewardDeferred', 'RewardGranted',
    'ReferralSettled', 'ReferralExpired', 'ReferralLost', 'ReferralRejected', 'ReferralUnfunded',
    'RewardVoided', 'RewardReversed', 'RewardReinstated', 'CodeClicked', 'ShareRecorded',
    'Notification'
]"""
"""Types whose events another row keeps from being written again: the others stay."""
CREATED: Final = f"ix_outbox_created ON outbox (created_at) WHERE type = ANY ({EVENTS})"
GUARDED: Final = ("timeline", "touches", "outbox")
# The check of the age, of every function.
_AGED: Final = """
        IF before > now() - interval '60 days' THEN
            RAISE EXCEPTION 'rows are kept for at least 60 days'
                USING ERRCODE = 'restrict_violation';
        END IF;
"""
GUARD: Final = """
    CREATE OR REPLACE FUNCTION refuse_change_unless_let_go() RETURNS trigger LANGUAGE plpgsql
        SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        -- An erasure changes rows and the owner's functions delete them, and both say so.
        IF TG_OP IN ('UPDATE', 'DELETE') AND current_setting('referrals.erasing', true) = 'on'
                AND current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class
                                     WHERE oid = TG_RELID) THEN
            RETURN NULL;
        END IF;
        RAISE EXCEPTION '% on %, whose rows are only ever inserted', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME;
    END
    $$
"""
# The relay counts while it is the publisher, as for its lag; Debezium reads the WAL.
IS_READ: Final = """
    CREATE OR REPLACE FUNCTION outbox_is_read(its_epoch bigint, its_xid xid8, its_seq bigint)
        RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT NOT EXISTS (
            SELECT FROM outbox_readers r
             WHERE r.name <> 'debezium'
               AND NOT (r.name = 'relay'
                        AND EXISTS (SELECT FROM outbox_readers d
                                     WHERE d.name = 'debezium' AND d.leased_until > r.leased_until))
               AND NOT EXISTS (SELECT FROM outbox_cursors c
                                WHERE c.name = r.name AND c.epoch = its_epoch
                                  AND (c.xid, c.seq) >= (its_xid, its_seq)))
    $$
"""
# Events of stage changes before the end of the last closed window were let go of.
CLOSED: Final = """
    CREATE OR REPLACE FUNCTION outbox_closed_until() RETURNS timestamp with time zone
        LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT coalesce(max(g.until), '-infinity') FROM let_go g WHERE g.kind = 'outbox'
    $$
"""

# What a batch left behind it of each referral, so that the record of the batch has all of it.
DIGEST: Final = """
    CREATE OR REPLACE FUNCTION let_go_digest(record bigint) RETURNS text LANGUAGE sql STABLE
        SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT encode(sha256(convert_to(string_agg(line, E'\\n' ORDER BY line), 'UTF8')), 'hex')
          FROM (
            SELECT concat_ws(' ', d.referral_id, extract(epoch FROM d.until), d.facts) AS line
              FROM let_go_deliveries d WHERE d.let_go_id = record
            UNION ALL
            SELECT concat_ws(' ', i.referral_id, extract(epoch FROM i.expired_at),
                             to_jsonb(i.reason), i.reason_code, i.clicks,
                             extract(epoch FROM i.last_click_at), i.platform)
              FROM let_go_invitations i WHERE i.let_go_id = record) lines
    $$
"""


def _unproven(relation: str, alias: str) -> str:
    """Return the condition that a row's link of the hash chain is missing or too young."""
    return f"""(SELECT k.linked_at < before FROM chain_links k
        WHERE k.relation = '{relation}' AND k.row_key = {alias}.id::text) IS NOT TRUE"""


_ENDED: Final = "('SETTLED', 'EXPIRED', 'LOST', 'REJECTED', 'UNFUNDED', 'VOIDED', 'REVERSED')"
# A chargeback stays: `rebuild` looks for those that were delivered to credited referrals.
_IS_OLD: Final = """
    d.acknowledged_at < before AND d.created_at < before AND d.kind <> 'chargeback'
"""
# Facts of the referee that were heard before the time and have no delivery. As many were let go of.
_MISSING: Final = """
    SELECT count(*) FROM facts f
     WHERE f.player_id = r.referee_id AND f.heard_at < {until}
       AND NOT EXISTS (SELECT FROM deliveries d
                        WHERE (d.referral_id, d.kind, d.event_id) = (r.id, f.kind, f.event_id))
       AND NOT EXISTS (SELECT FROM inbox i WHERE (i.kind, i.event_id) = (f.kind, f.event_id))
"""
_OF_ENDED: Final = f"""
    FROM referrals r
     WHERE r.stage IN {_ENDED} AND r.until >= since AND r.until < least(upto, before)
       AND NOT r.awaits_funds
       AND EXISTS (SELECT FROM deliveries d WHERE d.referral_id = r.id AND {_IS_OLD})
       AND NOT EXISTS (SELECT FROM deliveries d
                        WHERE d.referral_id = r.id AND d.acknowledged_at IS NULL)
       AND NOT EXISTS (SELECT FROM timeline l
                        WHERE l.referral_id = r.id AND l.recorded_at >= before)
       AND NOT is_in_open_case(r.id)
       AND (r.referee_id IS NULL OR r.stage = 'LOST'
            OR ({_MISSING.format(until="before")})
             = (SELECT coalesce(sum(g.facts), 0) FROM let_go_deliveries g
                 WHERE g.referral_id = r.id))
"""
# Each function is planned by indexes alone: a plan that was made while a table was small would read
# all of it for each referral, long before statistics say that it has grown.
_ARGUMENTS: Final = """
        before timestamp with time zone, batch integer, is_dry boolean,
        since timestamp with time zone DEFAULT '-infinity',
        upto timestamp with time zone DEFAULT 'infinity'
"""
DELIVERIES: Final = f"""
    CREATE OR REPLACE FUNCTION let_go_of_deliveries({_ARGUMENTS}) RETURNS bigint LANGUAGE plpgsql
        SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
        SET enable_seqscan = off AS $$
    DECLARE
        gone bigint;
        ended uuid[];
        record_id bigint := nextval(pg_get_serial_sequence('let_go', 'id'));
    BEGIN
        {_AGED}
        IF is_dry THEN
            SELECT count(*) INTO gone FROM deliveries d
             WHERE {_IS_OLD} AND d.referral_id IN (SELECT r.id {_OF_ENDED});
            RETURN gone;
        END IF;
        SELECT array_agg(id) INTO ended FROM (
            SELECT r.id {_OF_ENDED} LIMIT batch FOR NO KEY UPDATE SKIP LOCKED) chosen;
        IF ended IS NULL THEN
            RETURN 0;
        END IF;
        SELECT count(*) INTO gone FROM deliveries d
         WHERE d.referral_id = ANY (ended) AND {_IS_OLD};
        INSERT INTO let_go_deliveries (referral_id, let_go_id, until, facts)
            SELECT r.id, record_id, before, count(*)
              FROM referrals r
              JOIN deliveries d ON d.referral_id = r.id AND {_IS_OLD}
              JOIN facts f ON (f.kind, f.event_id) = (d.kind, d.event_id)
                          AND f.player_id = r.referee_id
             WHERE r.id = ANY (ended) AND r.stage <> 'LOST'
             GROUP BY r.id;
        INSERT INTO let_go (id, kind, since, until, rows, links, digest) OVERRIDING SYSTEM VALUE
            VALUES (record_id, 'deliveries', since, before,
                    jsonb_build_object('deliveries', gone), '{{}}', let_go_digest(record_id));
        DELETE FROM deliveries d WHERE d.referral_id = ANY (ended) AND {_IS_OLD};
        RETURN gone;
    END
    $$
"""
# Nobody signed up, nothing was presented at a signup or decided from it, and all of it is proven
# and read; one that was let go of has no timeline. What would not be whole without retention is
# left for `verify` to name.
_NOTHING: Final = f"""
    FROM referrals r
     WHERE r.stage = 'EXPIRED' AND r.referee_id IS NULL AND r.steps = 2
       AND r.until >= since AND r.until < least(upto, before)
       AND NOT EXISTS (SELECT FROM attributions a WHERE a.referral_id = r.id)
       AND NOT EXISTS (SELECT FROM deliveries d
                        WHERE d.referral_id = r.id
                          AND (d.acknowledged_at < before AND d.created_at < before) IS NOT TRUE)
       AND (SELECT count(*) FROM timeline l
             WHERE l.referral_id = r.id AND (l.step, l.stage) IN ((1, 'INVITED'), (2, 'EXPIRED'))
               AND (l.recorded_at < outbox_closed_until()
                    OR EXISTS (SELECT FROM outbox o WHERE o.id = l.id))) = 2
       AND NOT EXISTS (SELECT FROM timeline l
                        WHERE l.referral_id = r.id
                          AND (l.recorded_at >= before OR {_unproven("timeline", "l")}))
       AND NOT EXISTS (SELECT FROM touches t
                        WHERE t.referral_id = r.id
                          AND (t.player_id IS NOT NULL OR {_unproven("touches", "t")}
                               OR EXISTS (SELECT FROM touches a
                                           WHERE a.answers = t.id
                                             AND a.referral_id IS DISTINCT FROM r.id)))
       AND NOT EXISTS (SELECT FROM outbox o
                        WHERE o.aggregateid = r.id::text
                          AND (o.type NOT IN ('CodeClicked', 'ReferralInvited', 'ReferralExpired')
                               OR {_unproven("outbox", "o")}
                               OR NOT outbox_is_read(o.epoch, o.xid, o.seq)
                               OR EXISTS (SELECT FROM webhook_deliveries w
                                           WHERE w.status = 'pending' AND w.event_id = o.id)))
"""
# Times as text: the same instant, to the microsecond, in every session.
_CLICK: Final = """jsonb_build_array(
    to_char(t.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), t.platform)"""
# A click as reports count it, see referrals/reports/happenings.py.
_IS_CLICK: Final = """
    t.answers IS NULL AND t.refusal IS NULL
    AND t.method IN ('referral_token', 'universal_link', 'qr_code', 'signal')
"""
INVITATIONS: Final = f"""
    CREATE OR REPLACE FUNCTION let_go_of_invitations({_ARGUMENTS}) RETURNS bigint LANGUAGE plpgsql
        SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
        SET enable_seqscan = off AS $$
    DECLARE
        counts jsonb;
        ended uuid[];
        proofs int8multirange;
        record_id bigint := nextval(pg_get_serial_sequence('let_go', 'id'));
    BEGIN
        {_AGED}
        IF is_dry THEN
            RETURN (SELECT count(*) {_NOTHING});
        END IF;
        SELECT array_agg(id) INTO ended FROM (
            SELECT r.id {_NOTHING} LIMIT batch FOR NO KEY UPDATE SKIP LOCKED) chosen;
        IF ended IS NULL THEN
            RETURN 0;
        END IF;
        WITH gone AS (
            SELECT 'timeline' AS relation, l.id FROM timeline l WHERE l.referral_id = ANY (ended)
            UNION ALL
            SELECT 'touches', t.id FROM touches t WHERE t.referral_id = ANY (ended)
            UNION ALL
            SELECT 'outbox', o.id FROM outbox o WHERE o.aggregateid = ANY (ended::text[])
        )
        SELECT range_agg(int8range(k.seq, k.seq, '[]')),
               jsonb_build_object(
                   'invitations', cardinality(ended),
                   'timeline', count(*) FILTER (WHERE gone.relation = 'timeline'),
                   'touches', count(*) FILTER (WHERE gone.relation = 'touches'),
                   'outbox', count(*) FILTER (WHERE gone.relation = 'outbox'),
                   'deliveries', (SELECT count(*) FROM deliveries d
                                   WHERE d.referral_id = ANY (ended)))
          INTO proofs, counts
          FROM gone
          JOIN chain_links k ON k.relation = gone.relation AND k.row_key = gone.id::text;
        INSERT INTO let_go_invitations
            (referral_id, let_go_id, expired_at, reason, reason_code, clicks, last_click_at,
             platform)
            SELECT l.referral_id, record_id, l.at, l.reason, l.reason_code,
                   coalesce(clicked.clicks, '[]'), clicked.last_at,
                   (SELECT t.platform FROM touches t
                     WHERE t.referral_id = l.referral_id AND t.platform IS NOT NULL
                     ORDER BY t.at, t.id LIMIT 1)
              FROM timeline l
              CROSS JOIN LATERAL (
                   SELECT jsonb_agg({_CLICK} ORDER BY t.at, t.id) AS clicks, max(t.at) AS last_at
                     FROM touches t WHERE t.referral_id = l.referral_id AND {_IS_CLICK}) clicked
             WHERE l.referral_id = ANY (ended) AND l.step = 2;
        INSERT INTO let_go (id, kind, since, until, rows, links, digest) OVERRIDING SYSTEM VALUE
            VALUES (record_id, 'invitations', since, before, counts, proofs,
                    let_go_digest(record_id));
        PERFORM set_config('referrals.erasing', 'on', true);
        DELETE FROM subject_salts s
         WHERE s.subject IN (SELECT 'touches/' || t.id FROM touches t
                              WHERE t.referral_id = ANY (ended));
        DELETE FROM touches t WHERE t.referral_id = ANY (ended);
        DELETE FROM timeline l WHERE l.referral_id = ANY (ended);
        DELETE FROM outbox o WHERE o.aggregateid = ANY (ended::text[]);
        DELETE FROM deliveries d WHERE d.referral_id = ANY (ended);
        PERFORM set_config('referrals.erasing', '', true);
        RETURN cardinality(ended);
    END
    $$
"""
_GOES: Final = f"o.type = ANY ({EVENTS})"
_BLOCKED: Final = f"""
    {_GOES} AND ({_unproven("outbox", "o")} OR NOT outbox_is_read(o.epoch, o.xid, o.seq)
                 OR EXISTS (SELECT FROM webhook_deliveries w
                             WHERE w.status = 'pending' AND w.event_id = o.id))
"""
OUTBOX: Final = f"""
    CREATE OR REPLACE FUNCTION let_go_of_outbox(
        before timestamp with time zone, batch integer, is_dry boolean
    ) RETURNS bigint LANGUAGE plpgsql
        SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
        SET enable_seqscan = off AS $$
    DECLARE
        begun timestamp with time zone;
        closed timestamp with time zone;
        changes bigint;
        announced bigint;
        gone uuid[];
        proofs int8multirange;
    BEGIN
        {_AGED}
        IF is_dry THEN
            RETURN (
                SELECT count(*) FROM outbox o
                 WHERE {_GOES} AND o.created_at < before
                   AND o.created_at < coalesce((
                       SELECT date_trunc('day', min(o.created_at), 'UTC') FROM outbox o
                        WHERE o.created_at < before AND {_BLOCKED}), 'infinity')
                   AND o.created_at < coalesce((
                       SELECT date_trunc('day', min(l.recorded_at), 'UTC')
                         FROM timeline l LEFT JOIN outbox o ON o.id = l.id
                        WHERE l.recorded_at >= outbox_closed_until() AND l.recorded_at < before
                          AND o.id IS NULL), 'infinity'));
        END IF;
        PERFORM pg_advisory_xact_lock(hashtextextended('let go of the outbox', 0));
        begun := outbox_closed_until();
        closed := begun;
        IF NOT EXISTS (SELECT FROM outbox o WHERE {_GOES} AND o.created_at < closed) THEN
            -- The days that have no event, up to the first that has one, are closed with it.
            SELECT least(before, date_trunc('day', min(o.created_at), 'UTC') + interval '1 day')
              INTO closed FROM outbox o WHERE {_GOES} AND o.created_at < before;
            IF closed IS NULL OR EXISTS (
                SELECT FROM outbox o WHERE o.created_at < closed AND {_BLOCKED}
            ) THEN
                RETURN 0;
            END IF;
            SELECT count(*), count(o.id) INTO changes, announced
              FROM timeline l LEFT JOIN outbox o ON o.id = l.id
             WHERE l.recorded_at >= begun AND l.recorded_at < closed;
            IF changes <> announced THEN
                RETURN 0;  -- `verify` names the stage change without an event.
            END IF;
        END IF;
        SELECT array_agg(id) INTO gone FROM (
            SELECT o.id FROM outbox o
             WHERE {_GOES} AND o.created_at < closed AND NOT ({_unproven("outbox", "o")})
             ORDER BY o.created_at LIMIT batch) chosen;
        IF gone IS NULL THEN
            RETURN 0;
        END IF;
        SELECT range_agg(int8range(k.seq, k.seq, '[]')) INTO proofs FROM chain_links k
         WHERE k.relation = 'outbox' AND k.row_key = ANY (gone::text[]);
        INSERT INTO let_go (kind, since, until, rows, links, stage_changes)
            VALUES ('outbox', begun, closed, jsonb_build_object('outbox', cardinality(gone)),
                    proofs, changes);
        PERFORM set_config('referrals.erasing', 'on', true);
        DELETE FROM outbox o WHERE o.id = ANY (gone);
        PERFORM set_config('referrals.erasing', '', true);
        RETURN cardinality(gone);
    END
    $$
"""
_OF_SLICES: Final = "timestamptz, integer, boolean, timestamptz, timestamptz"
FUNCTIONS: Final = {
    "outbox_is_read(bigint, xid8, bigint)": IS_READ,
    "outbox_closed_until()": CLOSED,
    "let_go_digest(bigint)": DIGEST,
    f"let_go_of_deliveries({_OF_SLICES})": DELIVERIES,
    f"let_go_of_invitations({_OF_SLICES})": INVITATIONS,
    "let_go_of_outbox(timestamptz, integer, boolean)": OUTBOX,
}
NOTED: Final = """
    CREATE OR REPLACE FUNCTION note_let_go() RETURNS trigger LANGUAGE plpgsql
        SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        INSERT INTO unlinked_rows (relation, row_key)
            SELECT 'let_go', cast(id AS text) FROM new_rows;
        RETURN NULL;
    END
    $$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    role = _role()
    for table, statement in TABLES.items():
        op.execute(statement)
        op.execute(f"GRANT SELECT ON {table} TO {role}")
        _guard(table, "refuse_change")
    for index in INDEXES:
        op.execute(index)
    op.execute(NOTED)
    op.execute(
        "CREATE OR REPLACE TRIGGER note_let_go AFTER INSERT ON let_go"
        " REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION note_let_go()"
    )
    for name, function in FUNCTIONS.items():
        op.execute(function)
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO {role}")
    op.execute(GUARD)
    for table in GUARDED:
        _guard(table, "refuse_change_unless_let_go")
    with op.get_context().autocommit_block():
        op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {CREATED}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP INDEX IF EXISTS ix_outbox_created")
    for table in GUARDED:
        _guard(table, "refuse_change")
    op.execute("DROP FUNCTION refuse_change_unless_let_go()")
    for name in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {name}")
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION note_let_go()")
    op.execute("DELETE FROM unlinked_rows WHERE relation = 'let_go'")


def _guard(table: str, function: str) -> None:
    op.execute(
        f"CREATE OR REPLACE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
    )


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
