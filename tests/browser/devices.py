"""The devices that people open a link on, as their browsers describe themselves."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    name: str
    user_agent: str
    width: int
    height: int
    is_phone: bool = True


IPHONE: Final = Device(
    name="iphone",
    user_agent="Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    width=390,
    height=844,
)
ANDROID: Final = Device(
    name="android",
    user_agent="Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/126.0.0.0 Mobile Safari/537.36",
    width=412,
    height=915,
)
SMALL_PHONE: Final = Device(name="small", user_agent=IPHONE.user_agent, width=320, height=568)
DESKTOP: Final = Device(
    name="desktop",
    user_agent="Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/126.0.0.0 Safari/537.36",
    width=1280,
    height=900,
    is_phone=False,
)
