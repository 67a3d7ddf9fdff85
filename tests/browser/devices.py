"""Devices that people open a link on, as their browsers describe themselves."""

from dataclasses import dataclass
from typing import Final

from tests import user_agents


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    name: str
    user_agent: str
    width: int
    height: int
    is_phone: bool = True


IPHONE: Final = Device(
    name="iphone",
    user_agent=user_agents.IPHONE,
    width=390,
    height=844,
)
ANDROID: Final = Device(
    name="android",
    user_agent=user_agents.ANDROID,
    width=412,
    height=915,
)
DESKTOP_PAGE_ON_IPHONE: Final = Device(
    name="iphone-desktop", user_agent=user_agents.MAC, width=980, height=1743
)
SMALL_PHONE: Final = Device(name="small", user_agent=IPHONE.user_agent, width=320, height=568)
DESKTOP: Final = Device(
    name="desktop",
    user_agent=user_agents.WINDOWS,
    width=1280,
    height=900,
    is_phone=False,
)
