"""The population as a table of kinds of groups, and its drawing from a seed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from random import Random
from typing import Final

from sandbox.fraud_evaluation import honest_groups, linked_rings, unlinked_rings
from sandbox.fraud_evaluation.groups import BEGINS_AT, OPENING_DAYS, Group, GroupDraft

RING_SHARE: Final = 0.05
"""Share of all players who belong to rings."""
SMALLEST: Final = 5
"""Least number of players of a kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of group; `share` is its part of all ring members, or of all honest players.

    `has_hard_link` is None for honest groups. One group takes the whole share of a kind that
    `is_single`.
    """

    name: str
    plan: Callable[[GroupDraft], None]
    share: int
    sizes: tuple[int, int] = (5, 12)
    has_hard_link: bool | None = None
    is_single: bool = False
    is_late: bool = False
    """True where the link is only learned after the rewards are paid."""

    @property
    def is_ring(self) -> bool:
        return self.has_hard_link is not None


def _linked(name: str, plan: Callable[[GroupDraft], None], *, is_late: bool = False) -> Kind:
    return Kind(name=name, plan=plan, share=1, has_hard_link=True, is_late=is_late)


def _unlinked(
    name: str, plan: Callable[[GroupDraft], None], *, share: int = 1, most: int = 14
) -> Kind:
    return Kind(name=name, plan=plan, share=share, sizes=(5, most), has_hard_link=False)


KINDS: Final = (
    _linked("one device", linked_rings.one_device),
    _linked("one card, clean devices", linked_rings.one_card),
    _linked("one phone number, written differently", linked_rings.one_phone_number),
    _linked("one passport", linked_rings.one_passport),
    _linked("two people, endless chain", linked_rings.endless_chain),
    _linked("chain that funds itself", linked_rings.funding_chain),
    _linked("one card, shown after crediting", linked_rings.late_card, is_late=True),
    _unlinked("residential proxies", unlinked_rings.residential_proxies, share=2, most=40),
    _unlinked("slow drip", unlinked_rings.slow_drip),
    _unlinked("cycle", unlinked_rings.cycle, most=6),
    _unlinked("missing evidence", unlinked_rings.missing_evidence),
    _unlinked("one mailbox, spelled differently", unlinked_rings.one_mailbox),
    _unlinked("one browser, changing address", unlinked_rings.browser_farm),
    Kind(name="friends", plan=honest_groups.friends, share=22, sizes=(2, 8)),
    Kind(name="family", plan=honest_groups.family, share=18, sizes=(2, 5)),
    Kind(
        name="family with one card",
        plan=honest_groups.family_with_one_card,
        share=1,
        sizes=(2, 4),
    ),
    Kind(name="dormitory", plan=honest_groups.dormitory, share=12, sizes=(60, 140)),
    Kind(name="carrier NAT", plan=honest_groups.carrier_nat, share=13, sizes=(200, 400)),
    Kind(name="stadium wifi", plan=honest_groups.stadium, share=8, sizes=(100, 300)),
    Kind(name="streamer", plan=honest_groups.streamer, share=27, is_single=True),
)


def make_population(players: int, *, seed: int) -> tuple[Group, ...]:
    """Plan about `players` players in groups of every kind; the same seed gives the same ones."""
    numbers, group_numbers = count(1), count(1)
    groups: list[Group] = []
    for kind in KINDS:
        rng = Random(f"{seed}:{kind.name}")  # noqa: S311 - a simulation that can be repeated
        left = _wanted(kind, players)
        while left > 0:
            size = left if kind.is_single else max(2, min(left, rng.randint(*kind.sizes)))
            draft = GroupDraft(
                kind=kind.name,
                number=next(group_numbers),
                rng=rng,
                size=size,
                numbers=numbers,
                begins_at=BEGINS_AT + timedelta(days=rng.uniform(0, OPENING_DAYS)),
            )
            kind.plan(draft)
            groups.append(draft.finished())
            left -= len(draft.players)
    return tuple(groups)


def _wanted(kind: Kind, players: int) -> int:
    alike = [each for each in KINDS if each.is_ring == kind.is_ring]
    part = RING_SHARE if kind.is_ring else 1 - RING_SHARE
    wanted = round(players * part * kind.share / sum(each.share for each in alike))
    return max(wanted, SMALLEST)
