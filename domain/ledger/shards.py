"""The division of a campaign's balance among shards, which acts spend from side by side."""

from typing import Final

MAX_SHARDS: Final = 64
"""Shards of one balance at most. More than there are acts at once are of no use. The command
`campaigns shards`, which may import nothing of this room, is held to it by a test."""
MIN_SPENDS_EACH: Final = 2
"""Acts like the present one that each shard can pay; a balance with less stays in one row."""


def part_of(whole_minor: int, *, shards: int, spent_minor: int) -> int:
    """Return the minor units of one shard, or 0 where the balance is to stay in one row.

    `spent_minor` is what the present act spends. The account's own row gets a part, too.
    """
    each_minor = whole_minor // (shards + 1)
    is_ample = shards > 1 and 0 < spent_minor * MIN_SPENDS_EACH <= each_minor
    return each_minor if is_ample else 0


def spread(whole_minor: int, each_minor: int, *, shards: int) -> tuple[int, list[int]]:
    """Return what stays in the account's own row, with the remainder, and what each shard gets."""
    return whole_minor - each_minor * shards, [each_minor] * shards
