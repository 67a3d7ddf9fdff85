"""Rows of a copied life: what they differ in from those of the life that they are copies of."""

# ruff: noqa: S608 - the statements are made of names and numbers of ours

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CopiedRows:
    """Rows `t` of a table to copy, with the SQL of each column that the copy number `n` changes."""

    table: str
    where: str
    given: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedLife:
    """The referral `template` with everything written about it, copied under other names."""

    template: str
    name: str
    referrer: str
    """SQL of the referrer of copy `n`."""

    def rows(self) -> Iterator[CopiedRows]:
        yield from self._referral()
        yield from self._signup()
        yield from self._qualification()
        yield from self._money()
        yield from self._players()
        yield from self._facts()

    @property
    def _bound(self) -> Mapping[str, str]:
        return {"referral_id": self._uuid("r", "")}

    def _referral(self) -> Iterator[CopiedRows]:
        deposit = f"case when t.qualified_by is null then null else {self._text('d')} end"
        yield CopiedRows(
            "referrals",
            f"t.id = '{self.template}'",
            {
                "id": self._uuid("r", ""),
                "referrer_id": self.referrer,
                "referee_id": self._player,
                "visitor": "null",
                "signup_event_id": self._text("s"),
                "invited_at": "t.invited_at - n * interval '1 millisecond'",
                "awaits_funds_since": "t.awaits_funds_since + n * interval '1 millisecond'",
                "qualified_by": deposit,
                "assessment_id": self._uuid("a", ""),
            },
        )
        yield self._of_referral("timeline", id=self._uuid("e", "t.step"))
        yield CopiedRows(
            "outbox",
            f"t.aggregateid = '{self.template}'",
            {"id": self._uuid("o", "t.id"), "aggregateid": f"{self._uuid('r', '')}::text"},
        )
        yield self._of_referral(
            "deliveries",
            event_id=f"left('{self.name}-' || n || t.event_id, 80)",
            acknowledged_at="now()",
        )

    def _signup(self) -> Iterator[CopiedRows]:
        yield self._of_referral("touches", id=self._uuid("c", "t.id"), visitor=self._text("v"))
        yield self._of_referral(
            "attributions", signup_event_id=self._text("s"), player_id=self._player
        )

    def _qualification(self) -> Iterator[CopiedRows]:
        own = f"(select id from qualifications where referral_id = '{self.template}')"
        yield self._of_referral("assessments", id=self._uuid("a", "t.id"))
        yield self._of_referral("qualifications", id=self._uuid("q", ""))
        yield CopiedRows(
            "qualification_facts",
            f"t.qualification_id in {own}",
            {"qualification_id": self._uuid("q", ""), "event_id": self._text("d")},
        )

    def _money(self) -> Iterator[CopiedRows]:
        own = f"t.reward_id in (select id from rewards where referral_id = '{self.template}')"
        held = self._uuid("t", "t.resolves_hold_id")
        yield self._of_referral("rewards", id=self._uuid("w", "t.id"), player_id=self.referrer)
        yield self._of_referral("holds", id=self._uuid("h", "t.id"))
        yield CopiedRows(
            "transfers",
            own,
            {
                **self._bound,
                "id": self._uuid("t", "t.id"),
                "reward_id": self._uuid("w", "t.reward_id"),
                "resolves_hold_id": "case when t.resolves_hold_id is null then null"
                f" else {held} end",
            },
        )
        yield CopiedRows(
            "entries",
            f"t.transfer_id in (select id from transfers t where {own})",
            {"transfer_id": self._uuid("t", "t.transfer_id")},
        )

    def _players(self) -> Iterator[CopiedRows]:
        yield CopiedRows("players", self._of_referee, {"player_id": self._player})
        yield CopiedRows(
            "identity_links",
            self._of_referee,
            {"player_id": self._player, "value": f"'{self.name}-l-' || n || t.kind"},
        )

    def _facts(self) -> Iterator[CopiedRows]:
        qualified_by = f"(select qualified_by from referrals where id = '{self.template}')"
        yield CopiedRows(
            "facts",
            f"{self._of_referee} and t.kind = 'signup'",
            {
                "player_id": self._player,
                "event_id": self._text("s"),
                "body": f"t.body || jsonb_build_object('referral_token', '{self.name}-' || n)",
            },
        )
        yield CopiedRows(
            "facts",
            f"{self._of_referee} and t.kind = 'deposit' and t.event_id = {qualified_by}",
            {"player_id": self._player, "event_id": self._text("d")},
        )

    @property
    def _player(self) -> str:
        return f"'{self.name}-' || n"

    @property
    def _of_referee(self) -> str:
        return f"t.player_id = (select referee_id from referrals where id = '{self.template}')"

    def _of_referral(self, table: str, **given: str) -> CopiedRows:
        return CopiedRows(table, f"t.referral_id = '{self.template}'", {**self._bound, **given})

    def _text(self, letter: str) -> str:
        return f"'{self.name}-{letter}-' || n"

    def _uuid(self, letter: str, row: str) -> str:
        """Return a UUID of the copy's own for each `row`, of one letter for each kind of row."""
        return uuid_of(self._text(letter) + (f" || {row}" if row else ""))


def uuid_of(text: str) -> str:
    return f"md5({text})::uuid"
