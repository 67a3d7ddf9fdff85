"""Links of a pair alone, without the other evidence that acts read with them."""

from sqlalchemy import text

from db.engine import ReadSession
from domain.fraud.links import PairLinks
from referrals.fraud.links import SURROUNDINGS, load_values, pair_links_from


async def load_pair_links(session: ReadSession, *, referrer_id: str, referee_id: str) -> PairLinks:
    pair = {"referrer": referrer_id, "referee": referee_id}
    held = await load_values(session, pair)
    row = (await session.execute(text(SURROUNDINGS), pair)).one()
    return pair_links_from(held, row, referrer_id=referrer_id, referee_id=referee_id)
