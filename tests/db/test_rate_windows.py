"""WindowRequest that are counted together: each request sees the count up to its own hit."""

from datetime import timedelta
from uuid import uuid4

from db.engine import Database
from db.rate_windows import WindowRequest, count_hits
from tests.builders import NOW

MINUTE = timedelta(minutes=1)


def a_key() -> str:
    return f"window-{uuid4().hex}"


async def test_each_of_many_requests_sees_the_hits_up_to_its_own(database: Database) -> None:
    shared, own = a_key(), a_key()
    one, both = (
        WindowRequest({shared: MINUTE}, (), NOW),
        WindowRequest({shared: MINUTE, own: MINUTE}, (), NOW),
    )
    async with database.autocommit() as session:
        first = await count_hits(session, [one, both, one])
        second = await count_hits(session, [both])

    assert [seen[shared].hits for seen in first] == [1, 2, 3]
    assert [seen[own].hits for seen in first if own in seen] == [1]
    assert (second[0][shared].hits, second[0][own].hits) == (4, 2)
    assert {seen[shared].ends_at for seen in [*first, *second]} == {NOW + MINUTE}


async def test_a_window_that_has_ended_begins_again_for_all_of_them(database: Database) -> None:
    key, later = a_key(), NOW + 2 * MINUTE
    async with database.autocommit() as session:
        await count_hits(session, [WindowRequest({key: MINUTE}, (), NOW)] * 5)
        again = await count_hits(session, [WindowRequest({key: MINUTE}, (), later)] * 2)

    assert [seen[key].hits for seen in again] == [1, 2]
    assert {seen[key].ends_at for seen in again} == {later + MINUTE}


async def test_a_peek_counts_nothing_and_hides_no_hit_of_another(database: Database) -> None:
    key, unknown = a_key(), a_key()
    hit, peek = WindowRequest({key: MINUTE}, (), NOW), WindowRequest({}, (key, unknown), NOW)
    async with database.autocommit() as session:
        before, counted = await count_hits(session, [peek, hit])
        (after,) = await count_hits(session, [peek])
        mixed = await count_hits(session, [peek, hit, peek])

    assert before == {}
    assert counted[key].hits == 1
    assert {name: seen.hits for name, seen in after.items()} == {key: 1}
    assert [seen[key].hits for seen in mixed] == [1, 2, 1]
