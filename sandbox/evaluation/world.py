"""The simulated world: kinds of networks and their addresses, people, and their devices."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from random import Random
from typing import Final


class NetworkKind(StrEnum):
    """A kind of network, whose people share one address: a household, a carrier, a dormitory."""

    HOME = "home"
    MOBILE = "mobile"
    DORM = "dorm"


@dataclass(frozen=True, slots=True)
class Device:
    """A device as browsers and apps report it; `platform` is the API's name."""

    platform: str
    model: str
    os_version: str
    screen: str
    locale: str
    time_zone: str
    id: str

    @property
    def user_agent(self) -> str:
        """The user agent of the browser that opens a link from a message."""
        if self.platform == "ios":
            # Since Safari 26 the system's version is frozen, and Safari's own is the same number.
            frozen = int(self.os_version.partition(".")[0]) >= FROZEN_FROM
            system = "18_6" if frozen else self.os_version.replace(".", "_")
            return (
                f"Mozilla/5.0 (iPhone; CPU iPhone OS {system} like Mac OS X) AppleWebKit/605.1.15"
                f" (KHTML, like Gecko) Version/{self.os_version} Mobile/15E148 Safari/604.1"
            )
        if self.platform == "android":
            # Chrome reports neither the model nor the version any more.
            return f"Mozilla/5.0 (Linux; Android 10; K) {_CHROME} Mobile Safari/537.36"
        return f"Mozilla/5.0 ({self.os_version}) {_CHROME} Safari/537.36"

    @property
    def in_app_user_agent(self) -> str:
        """The user agent of the browser inside a social app."""
        if self.platform == "ios":
            return self.user_agent.split(" Version/")[0] + " Mobile/15E148 Instagram 334.0.4.32.98"
        system = f"Linux; Android {self.os_version}; {self.model}; wv"
        return f"Mozilla/5.0 ({system}) {_CHROME} Mobile Safari/537.36 Instagram 334.0.0.42.95"


@dataclass(frozen=True, slots=True)
class Person:
    """A person with a phone and a desktop computer, at one address."""

    player_id: str
    phone: Device
    desktop: Device
    ip: str


FROZEN_FROM: Final = 26
"""First version of iOS whose user agents no longer report the system's version."""
_Model = tuple[str, str, int]
_Weighted = Sequence[tuple[str, int]]

_CHROME: Final = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0"
_IPHONES: Final = (
    ("iPhone15,4", "393x852", 30),
    ("iPhone14,7", "390x844", 25),
    ("iPhone16,1", "393x852", 20),
    ("iPhone13,2", "390x844", 15),
    ("iPhone12,1", "414x896", 10),
)
_IOS: Final = (("26.1", 45), ("26.0", 20), ("18.7", 20), ("18.5", 10), ("17.6", 5))
_ANDROIDS: Final = (
    ("SM-S911U", "1080x2340", 30),
    ("Pixel 8", "1080x2400", 25),
    ("SM-A546U", "1080x2340", 25),
    ("moto g power", "720x1600", 20),
)
_ANDROID: Final = (("14", 60), ("13", 30), ("12", 10))
_DESKTOPS: Final = (
    ("Windows NT 10.0; Win64; x64", 65),
    ("Macintosh; Intel Mac OS X 10_15_7", 30),
    ("X11; Linux x86_64", 5),
)
_LOCALES: Final = (("en-US", 80), ("es-US", 15), ("pt-BR", 5))
_TIME_ZONES: Final = (("America/New_York", 85), ("America/Chicago", 15))
# Networks kept for tests and documentation, so that no address is anybody's.
_TEST_NETWORK: Final = int(IPv4Address("198.18.0.0"))
_RELAY_NETWORK: Final = int(IPv6Address("2001:db8::"))
_RELAY_HOST_BITS: Final = 96


def network_address(network: int) -> str:
    """Return the address that everybody in the network shares."""
    return str(IPv4Address(_TEST_NETWORK + network))


def relay_address(rng: Random) -> str:
    """Return an address of a relay that hides the person's; each request has another."""
    return str(IPv6Address(_RELAY_NETWORK + rng.getrandbits(_RELAY_HOST_BITS)))


def person(rng: Random, *, player_id: str, ip: str, platform: str) -> Person:
    phone = ios(rng, player_id) if platform == "ios" else android(rng, player_id)
    locale, zone = phone.locale, phone.time_zone
    system = _pick(rng, _DESKTOPS)
    desktop = Device("web", "", system, "1920x1080", locale, zone, f"browser-{player_id}")
    return Person(player_id, phone, desktop, ip)


def ios(rng: Random, owner: str) -> Device:
    return _phone(rng, "ios", _IPHONES, _IOS, owner)


def android(rng: Random, owner: str) -> Device:
    return _phone(rng, "android", _ANDROIDS, _ANDROID, owner)


def _phone(
    rng: Random, platform: str, models: Sequence[_Model], versions: _Weighted, owner: str
) -> Device:
    model, screen, _ = rng.choices(models, [weight for _, _, weight in models])[0]
    return Device(
        platform=platform,
        model=model,
        os_version=_pick(rng, versions),
        screen=screen,
        locale=_pick(rng, _LOCALES),
        time_zone=_pick(rng, _TIME_ZONES),
        id=f"phone-{owner}",
    )


def _pick(rng: Random, weighted: _Weighted) -> str:
    return rng.choices([each for each, _ in weighted], [weight for _, weight in weighted])[0]
