"""Audiences: the segments of players who may, or may not, have a code of a campaign."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Names of segments, which the caller gives its players; deny goes before allow."""

    allow: tuple[str, ...] = ()
    """Segments of which a player must have one at least; empty for every player."""
    deny: tuple[str, ...] = ()
    """Segments of which a player may have none."""

    def refusal_of(self, segments: Collection[str]) -> str | None:
        """Return why players of these segments get no code, or None when they get one."""
        denied = sorted(set(self.deny).intersection(segments))
        if denied:
            return f"It is not for players of the segment {denied[0]}."
        if self.allow and set(self.allow).isdisjoint(segments):
            return f"It is only for players of these segments: {', '.join(self.allow)}."
        return None


EVERYBODY = Audience()
