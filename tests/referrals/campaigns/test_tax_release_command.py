"""`referrals tax-release`, as an operator runs it."""

from tests.builders import unique
from tests.fixtures.databases import DatabaseUrls
from tests.test_cli import referrals


async def test_a_players_tax_year_is_released_by_a_command(shared_urls: DatabaseUrls) -> None:
    player, url = unique("player"), shared_urls.application
    asked = ["tax-release", player, "--reason", "form received"]

    first = await referrals(*asked, "--actor", "ann", url=url)
    again = await referrals(*asked, "--actor", "ben", url=url)
    wrong = await referrals(*asked, url=url, settings={"REFERRALS_TAX_YEAR_START": "31-31"})

    assert first.stdout.startswith(f"{player}: the tax year of "), first.stderr
    assert again.stdout == first.stdout
    assert first.stdout.endswith("was released by ann\n")
    assert wrong.returncode == 2
    assert "REFERRALS_TAX_YEAR_START" in wrong.stderr
    assert "Traceback" not in wrong.stderr
