"""Steps to a pair of players whose reward waits for a review."""

from sandbox.sportsbook.book import Book
from sandbox.sportsbook.events import Event, deposit, unique
from sandbox.sportsbook.pairs import Pair, signed_up


async def hold_for_review(book: Book) -> tuple[Pair, Event]:
    """Bring a pair to HELD by one card that both players use."""
    pair, card = await signed_up(book), unique("card")
    await book.send(deposit(pair.referrer_id, payment_instrument=card))
    paid = deposit(pair.referee_id, payment_instrument=card)
    await book.send(paid)
    await book.at_stage(pair.referral_id, "HELD")
    return pair, paid
