"""Properties of the scoring that hold for every snapshot."""

from dataclasses import replace
from random import Random
from typing import Final, TypeVar

from hypothesis import given
from hypothesis import strategies as st

from domain.fraud.rule import Severity
from domain.fraud.rule_sets import BASE, score
from domain.fraud.rule_table import RULES_BY_NAME
from domain.fraud.rules import Verdict
from domain.fraud.snapshot import (
    Behaviour,
    Cluster,
    ListHits,
    NetworkOrigin,
    ReferrerHistory,
    Snapshot,
    stored_snapshot,
)
from tests.domain.fraud.suspicious_snapshots import CLEAN, ROWS

Part = TypeVar("Part", Behaviour, NetworkOrigin, ReferrerHistory)


@st.composite
def _snapshots(draw: st.DrawFn) -> Snapshot:
    """Combine some of the suspicious snapshots of the table into one."""
    names = draw(st.lists(st.sampled_from(sorted(ROWS)), unique=True, max_size=8))
    found = CLEAN
    for name in names:
        found = _with(found, ROWS[name])
    return found


def _with(snapshot: Snapshot, more: Snapshot) -> Snapshot:
    """Add the facts of another snapshot; those of the first stand where both know one."""
    return Snapshot(
        same_player=snapshot.same_player or more.same_player,
        known=(*snapshot.known, *more.known),
        requires=(*snapshot.requires, *more.requires),
        links=(
            *snapshot.links,
            *(link for link in more.links if snapshot.link(link.kind) is None),
        ),
        cluster=snapshot.cluster if snapshot.cluster != Cluster() else more.cluster,
        has_similar_name=snapshot.has_similar_name or more.has_similar_name,
        has_similar_mailbox=snapshot.has_similar_mailbox or more.has_similar_mailbox,
        velocities=(*snapshot.velocities, *more.velocities),
        behaviour=_filled(snapshot.behaviour, more.behaviour),
        origin=_filled(snapshot.origin, more.origin),
        referrer=_filled(snapshot.referrer, more.referrer),
        lists=ListHits(
            deny=(*snapshot.lists.deny, *more.lists.deny),
            watch=(*snapshot.lists.watch, *more.lists.watch),
        ),
        warnings=(*snapshot.warnings, *more.warnings),
        unavailable=(*snapshot.unavailable, *more.unavailable),
    )


def _filled(one: Part, two: Part) -> Part:
    unknown = {
        name: getattr(two, name)
        for name in one.__dataclass_fields__
        if getattr(one, name) is None or (name in COUNTS and not getattr(one, name))
    }
    return replace(one, **unknown)


COUNTS: Final = frozenset(
    {"referees", "depositors", "flagged_referees", "charged_back", "clawed_back"}
    | {"minimum_depositors", "quick_withdrawers"}
)
RANKS: Final = {Verdict.PASS: 0, Verdict.REVIEW: 1, Verdict.BLOCK: 2}


@given(
    _snapshots(),
    st.sampled_from(sorted(set(ROWS) - {"allowed", "more_stakes", "shared_by_too_many"})),
)
def test_adding_a_suspicious_fact_never_lowers_the_score(snapshot: Snapshot, name: str) -> None:
    before = score(snapshot, BASE)

    after = score(_with(snapshot, ROWS[name]), BASE)

    assert after.score >= before.score
    assert RANKS[after.verdict] >= RANKS[before.verdict]


@given(_snapshots(), st.randoms())
def test_the_order_of_evidence_does_not_matter(snapshot: Snapshot, random: Random) -> None:
    shuffled = replace(
        snapshot,
        links=tuple(random.sample(snapshot.links, len(snapshot.links))),
        velocities=tuple(random.sample(snapshot.velocities, len(snapshot.velocities))),
        known=tuple(random.sample(snapshot.known, len(snapshot.known))),
    )

    assert score(shuffled, BASE) == score(snapshot, BASE)
    assert stored_snapshot(shuffled) == stored_snapshot(snapshot)


@given(_snapshots())
def test_only_a_certainty_blocks_and_doubts_never_pass(snapshot: Snapshot) -> None:
    assessment = score(snapshot, BASE)
    hits = {RULES_BY_NAME[name].severity for name in assessment.reasons}

    assert (assessment.verdict is Verdict.BLOCK) == (Severity.CERTAIN in hits)
    assert assessment.verdict is not Verdict.PASS or Severity.HARD not in hits
    assert 0 <= assessment.score <= 100
