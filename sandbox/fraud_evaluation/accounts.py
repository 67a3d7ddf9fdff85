"""Accounts of the simulated population, and the values that honest ones share with nobody."""

from dataclasses import dataclass
from ipaddress import IPv4Address
from random import Random
from typing import Final

PLATFORMS: Final = ("ios", "android", "web")
MAIL_HOSTS: Final = ("mail.example", "post.example", "gmail.com", "outlook.com")
PREFIXES: Final = 512
HOSTS: Final = 254
# The network kept for benchmarks, so that no address is anybody's.
_TEST_NETWORK: Final = int(IPv4Address("198.18.0.0"))
_AREAS: Final = (201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218)
_EXCHANGES: Final = 700
# Any two differ in at least two letters, so that no two names are nearly the same by chance.
_SYLLABLES: Final = ("bak", "cel", "dim", "fon", "gup", "hat", "jes", "kir", "lov", "mud")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account as its signup and its first deposit describe it; None is never reported."""

    player_id: str
    platform: str
    device_id: str | None
    ip: str | None
    email: str | None
    phone: str | None
    kyc_subject: str | None
    full_name: str | None
    card: str | None


def own_account(rng: Random, player_id: str, number: int, *, ip: str | None = None) -> Account:
    """Return an account that shares nothing, with `number` unique in the population.

    With `ip`, it shares that address with others.
    """
    given, family = name_of(rng.randrange(400)), name_of(number)
    return Account(
        player_id=player_id,
        platform=rng.choice(PLATFORMS),
        device_id=f"device-{player_id}",
        ip=ip or home_address(rng),
        email=f"{given}.{family}@{rng.choice(MAIL_HOSTS)}".lower(),
        phone=phone_number(number),
        kyc_subject=f"kyc-{player_id}",
        full_name=f"{given} {family}",
        card=f"card-{player_id}",
    )


def home_address(rng: Random, *, prefix: int | None = None) -> str:
    """Return an address of a household or proxy, within a /24 where `prefix` names one."""
    prefix = rng.randrange(PREFIXES) if prefix is None else prefix
    return str(IPv4Address(_TEST_NETWORK + 256 * prefix + 1 + rng.randrange(HOSTS)))


def phone_number(number: int) -> str:
    """Return a US phone number in E.164, another one for each number below 100,000."""
    rest, line = divmod(number, 10)
    area, exchange = divmod(rest, _EXCHANGES)
    return f"+1{_AREAS[area % len(_AREAS)]}{200 + exchange}01{line:02}"


def name_of(number: int) -> str:
    """Return a name, another one for each number."""
    return "".join(_SYLLABLES[int(digit)] for digit in str(number)).capitalize()
