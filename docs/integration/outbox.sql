-- The outbox of a service that reports events: a row is written in the transaction of the signup or
-- deposit itself, so the event exists exactly when that does. relay.py delivers it.
CREATE TABLE referral_outbox (
    position   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    door       text NOT NULL
               CHECK (door IN ('signups', 'deposits', 'chargebacks', 'wagers', 'withdrawals',
                               'players')),
    event_id   text NOT NULL,
    player_id  text NOT NULL,
    -- As it will be sent. json, not jsonb: jsonb would refuse a NUL in, say, a name, and
    -- with it the signup.
    body       json NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now(),
    attempts   integer NOT NULL DEFAULT 0,
    -- Not to be tried before; while a relay has the row, the end of its lease.
    due_at     timestamptz NOT NULL DEFAULT now(),
    sent_at    timestamptz,
    -- Why the service refused it for good: a problem code, such as event_conflict.
    dead       text,
    UNIQUE (door, event_id)
);

-- Only what waits is in these, so they stay small however long the table is kept.
CREATE INDEX referral_outbox_waiting ON referral_outbox (due_at, position)
    WHERE sent_at IS NULL AND dead IS NULL;
CREATE INDEX referral_outbox_waiting_of_player ON referral_outbox (player_id, position)
    WHERE sent_at IS NULL AND dead IS NULL;
