"""Functions of the database: none of ours trusts the search path of its caller."""

from sqlalchemy import text

from db.engine import Database

OURS = text("""
    select p.proname, p.proconfig, p.prosqlbody is not null as is_bound
      from pg_proc p
     where p.pronamespace = cast('public' as regnamespace)
       and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
     order by p.proname
""")


async def test_every_function_has_a_search_path_of_its_own(database: Database) -> None:
    async with database.reading() as session:
        functions = (await session.execute(OURS)).all()

    assert len(functions) > 10
    unfixed = [
        name
        for name, settings, is_bound in functions
        if not is_bound and not _ends_with_temp(settings or [])
    ]
    assert unfixed == []


def _ends_with_temp(settings: list[str]) -> bool:
    """Return whether a search path has what anybody may write to as its last schema."""
    return any(
        setting.startswith("search_path=") and setting.endswith("pg_temp") for setting in settings
    )


async def test_the_application_makes_neither_tables_nor_functions(database: Database) -> None:
    query = text("""
        select has_schema_privilege('public', 'create'),
               has_database_privilege(current_database(), 'create')
    """)
    async with database.reading() as session:
        assert (await session.execute(query)).one() == (False, False)
