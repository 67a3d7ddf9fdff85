"""Dead letters that nobody has replayed, as the console shows them."""

from db.engine import Database
from messaging.dead_letters.reading import LetterHead
from messaging.dead_letters.replaying import REPLAYED, find_open
from referrals.access import audit
from referrals.access.audit import Actor
from tests.api.bodies import unique

ACTOR = Actor(name="operator", request_id=None, reason="known")


async def test_replayed_letters_hide_none_that_is_open(database: Database) -> None:
    letters = [LetterHead(f"t:0:{n}", unique("dead_letter"), "too_large", None) for n in range(130)]
    async with database.transaction() as session:
        for letter in letters[:120]:
            await audit.write(session, ACTOR, action=REPLAYED, subject=letter.subject, details={})

    assert await find_open(database, letters, limit=5) == letters[120:125]
