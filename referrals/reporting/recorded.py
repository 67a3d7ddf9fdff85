"""Everything recorded that an act on a pair decides by, read under its locks in one statement."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, text

from db.engine import Session
from db.tables import ReferralRow
from domain.fraud.lists import ListHits
from domain.intake.facts import Fact, FactKind
from referrals.fraud import lists, rule_sets
from referrals.fraud.evidence import MARKER
from referrals.fraud.link_values import WRITTEN_KINDS
from referrals.fraud.rule_sets import ActiveRuleSets
from referrals.intake.facts import StoredFact, facts_from
from referrals.ledger.absent import Absent

# The referee's deposits and what was taken back of them, and the status of both players.
_FACTS: Final = """
    select player_id, kind, body, reported_by, request_id, heard_at, occurred_at, event_id
      from facts where player_id = :referee and kind in ('deposit', 'chargeback')
    union all
    select player_id, kind, body, reported_by, request_id, heard_at, occurred_at, event_id
      from facts where player_id in (:referrer, :referee) and kind = 'player'
"""
RECORDED: Final = text(f"""
    select heard.*, ({MARKER}) as marker,
           (select jsonb_agg(to_jsonb(hit)) from ({lists.HITS}) as hit) as hits,
           (select jsonb_agg(to_jsonb(active)) from ({rule_sets.ACTIVE}) as active) as rule_sets,
           exists (select from reviews where referral_id = :referral_id) as has_reviews,
           exists (select from qualifications where referral_id = :referral_id) as has_attempts,
           exists (select from rewards where referral_id = :referral_id) as has_rewards,
           exists (select from holds where referral_id = :referral_id) as has_holds,
           exists (select from switches where is_off) as has_switches,
           exists (select from transfers where player_id in (:referrer, :referee)
                      and movement in ('owe', 'recover', 'forgive')) as has_debts,
           coalesce((select true from referrals
                      where campaign_id = :campaign_id and awaits_funds and id <> :referral_id
                      order by awaits_funds_since, id limit 1), false) as has_queue
      from (
        select array_agg(player_id) as player_ids, array_agg(kind) as kinds,
               array_agg(body) as bodies, array_agg(reported_by) as reporters,
               array_agg(request_id) as request_ids, array_agg(heard_at) as heard_ats
          from (select * from ({_FACTS}) as each order by occurred_at, event_id) as ordered
      ) as heard
""")  # noqa: S608 - made of constants of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """Facts of a pair, what fraud rules look at, and which rows a referral has at all.

    A flag is True where there may be such rows: an act that finds none need not look for them.
    """

    facts: Sequence[StoredFact]
    marker: str
    """A text that stays the same as long as gathered evidence is current."""
    hits: ListHits
    rule_sets: ActiveRuleSets | None
    """The sets that score now; null before the first was stored."""
    has_reviews: bool
    has_attempts: bool
    has_rewards: bool
    has_holds: bool
    has_switches: bool
    """A switch was off once, and may be off now."""
    has_debts: bool
    """A player of the pair has owed something."""
    has_queue: bool
    """Other referrals wait for the campaign's money."""

    @property
    def absent(self) -> Absent:
        """Rows that a first credit need not look for; transfers are of rewards written before."""
        return Absent(
            queue=not self.has_queue, debts=not self.has_debts, transfers=not self.has_rewards
        )

    def facts_of(
        self, session: Session, player_ids: Collection[str], *kinds: FactKind
    ) -> tuple[Fact, ...]:
        """Return the facts of players, of some kinds, in their order in time."""
        wanted = [f for f in self.facts if f.player_id in player_ids and f.kind in kinds]
        return facts_from(session, wanted)


async def load_recorded(session: Session, referral: ReferralRow, *, at: datetime) -> Recorded:
    """Return what is recorded about a locked referral and its locked players."""
    referee_id = referral.referee_id or ""
    values = {
        "referral_id": referral.id,
        "campaign_id": referral.campaign_id,
        "referrer": referral.referrer_id,
        "referee": referee_id,
        "at": at,
        "kinds": WRITTEN_KINDS,
    }
    row = (await session.execute(RECORDED, values)).one()
    return Recorded(
        facts=_facts(row),
        marker=row.marker,
        hits=lists.hits_from(row.hits or (), referee_id=referee_id),
        rule_sets=rule_sets.active_from(row.rule_sets or ()),
        **{name: value for name, value in row._asdict().items() if name.startswith("has_")},
    )


def _facts(row: Row[Any]) -> Sequence[StoredFact]:
    if row.kinds is None:
        return ()
    columns = (row.player_ids, row.kinds, row.bodies, row.reporters, row.request_ids, row.heard_ats)
    return [StoredFact(*values) for values in zip(*columns, strict=True)]
