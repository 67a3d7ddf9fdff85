"""An app's first open, the body of POST /v1/attributions/resolve."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstOpen:
    """A first open, with whatever the app knows. All fields are optional.

    `platform` is derived from `os` (such as "iOS 18.5") when left out. Timestamps are Unix time in
    seconds, as the Play Install Referrer library returns them; 0 means unknown.
    """

    platform: Literal["ios", "android"] | None = None
    install_referrer: str | None = None
    referrer_click_timestamp_seconds: int | None = None
    install_begin_timestamp_seconds: int | None = None
    referrer_click_timestamp_server_seconds: int | None = None
    install_begin_timestamp_server_seconds: int | None = None
    install_version: str | None = None
    clipboard_token: str | None = None
    universal_link: str | None = None
    cookie_token: str | None = None
    device_id: str | None = None
    device_model: str | None = None
    os: str | None = None
    os_version: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    screen: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    consent: bool | None = None
    """False: traits of device and network are not kept, and no click is matched by them."""

    @classmethod
    def of(cls, told: Mapping[str, Any], *, ip: str | None, user_agent: str | None) -> Self:
        """Build it from the app's JSON and the request's address; ignore unknown names."""
        known = {one.name: told[one.name] for one in fields(cls) if one.name in told}
        seen: dict[str, Any] = {**known, "ip": ip, "user_agent": user_agent}
        return cls(**seen)

    def body(self) -> dict[str, object]:
        return {name: value for name, value in asdict(self).items() if value is not None}
