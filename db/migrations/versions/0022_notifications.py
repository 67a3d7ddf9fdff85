"""Notifications to players, the attempts to hand each on, preferences, and reminders."""

# ruff: noqa: S608 - the statements are built from our own constants alone

from typing import Final

from alembic import op

revision = "0022"
down_revision = "0021"

KINDS: Final = (
    "'friend_signed_up', 'reward_held', 'reward_granted', 'reward_deferred', 'reward_reversed',"
    " 'reward_reinstated', 'signup_reminder', 'deposit_reminder', 'window_closing'"
)
PREFERENCES: Final = "locale, time_zone, wants_messages, quiet_from, quiet_to, changed_at"
TABLES: Final = (
    f"""
    CREATE TABLE notifications (
        id UUID NOT NULL,
        seq BIGINT GENERATED ALWAYS AS IDENTITY,
        event_id UUID NOT NULL,
        referral_id UUID NOT NULL,
        player_id VARCHAR(64) NOT NULL,
        kind VARCHAR(32) NOT NULL,
        message JSONB NOT NULL,
        caused_at TIMESTAMP WITH TIME ZONE NOT NULL,
        status VARCHAR(32) NOT NULL DEFAULT 'pending',
        due_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
        created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
        CONSTRAINT pk_notifications PRIMARY KEY (id),
        CONSTRAINT uq_notifications_event_id_player_id_kind UNIQUE (event_id, player_id, kind),
        CONSTRAINT ck_notifications_kind CHECK (kind IN ({KINDS})),
        CONSTRAINT ck_notifications_status CHECK (
            status IN ('pending', 'handed_on', 'suppressed')
        ),
        CONSTRAINT fk_notifications_referral_id FOREIGN KEY (referral_id) REFERENCES referrals (id)
    )
    """,
    """
    CREATE INDEX ix_notifications_due ON notifications (due_at, seq) WHERE status = 'pending'
    """,
    "CREATE INDEX ix_notifications_referral ON notifications (referral_id)",
    """
    CREATE INDEX ix_notifications_waiting ON notifications (player_id) WHERE status = 'pending'
    """,
    """
    CREATE TABLE notification_attempts (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        notification_id UUID NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        outcome VARCHAR(32) NOT NULL,
        reason VARCHAR(64),
        locale VARCHAR(64),
        postponed_until TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_notification_attempts PRIMARY KEY (id),
        CONSTRAINT ck_notification_attempts_outcome CHECK (
            outcome IN ('handed_on', 'suppressed', 'postponed', 'failed')
        ),
        CONSTRAINT fk_notification_attempts_notification_id
            FOREIGN KEY (notification_id) REFERENCES notifications (id)
    )
    """,
    "CREATE INDEX ix_notification_attempts_notification ON notification_attempts (notification_id)",
    """
    CREATE TABLE player_preferences (
        player_id VARCHAR(64) NOT NULL,
        locale VARCHAR(64),
        time_zone VARCHAR(64),
        wants_messages BOOLEAN NOT NULL DEFAULT true,
        quiet_from TIME,
        quiet_to TIME,
        changed_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
        CONSTRAINT pk_player_preferences PRIMARY KEY (player_id),
        CONSTRAINT ck_player_preferences_quiet_hours CHECK (
            (quiet_from IS NULL) = (quiet_to IS NULL) AND quiet_from <> quiet_to
        )
    )
    """,
)
# Players are told of what is written from here on. Each epoch is found by one step into the index.
READER: Final = "notifications"
BEGIN_HERE: Final = (
    f"""
    INSERT INTO outbox_readers (name, holder, leased_until)
    VALUES ('{READER}', gen_random_uuid(), now())
    """,
    f"""
    WITH RECURSIVE epochs AS (
        (SELECT epoch FROM outbox ORDER BY epoch LIMIT 1)
        UNION ALL
        SELECT (SELECT epoch FROM outbox WHERE epoch > epochs.epoch ORDER BY epoch LIMIT 1)
          FROM epochs WHERE epoch IS NOT NULL
    )
    INSERT INTO outbox_cursors (name, epoch, xid, seq)
    SELECT '{READER}', last.epoch, last.xid, last.seq
      FROM epochs CROSS JOIN LATERAL (
        SELECT epoch, xid, seq FROM outbox WHERE epoch = epochs.epoch
         ORDER BY xid DESC, seq DESC LIMIT 1
      ) AS last
     WHERE last.epoch <> outbox_epoch()
    UNION ALL
    SELECT '{READER}', outbox_epoch(), pg_snapshot_xmin(pg_current_snapshot()), 0
    """,
)
GRANTS: Final = (
    "SELECT, INSERT, UPDATE (status, due_at) ON notifications",
    "SELECT, INSERT ON notification_attempts",
    "SELECT, INSERT ON player_preferences",
    f"UPDATE ({PREFERENCES}) ON player_preferences",
    "UPDATE (reminded_until) ON referrals",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE referrals ADD COLUMN reminded_until TIMESTAMP WITH TIME ZONE")
    for statement in TABLES:
        op.execute(statement)
    op.execute(
        "CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON notification_attempts"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO {_role()}")
    for statement in BEGIN_HERE:
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for table in ("outbox_cursors", "outbox_readers"):
        op.execute(f"DELETE FROM {table} WHERE name = '{READER}'")
    for table in ("player_preferences", "notification_attempts", "notifications"):
        op.execute(f"DROP TABLE {table}")
    op.execute("ALTER TABLE referrals DROP COLUMN reminded_until")


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
