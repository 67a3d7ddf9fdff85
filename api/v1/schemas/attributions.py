"""An app's first open: what it found, who brought its person, and what that person says."""

from typing import Annotated, Final, Literal

from pydantic import Field

from api.v1.schemas.fields import (
    Brought,
    OptionalText64,
    OptionalText64OrHash,
    OptionalText320,
    OptionalText4096,
    RequestBody,
    ResponseBody,
    Text,
)
from domain.attribution.install_referrer import Install
from domain.attribution.matching import system_name
from domain.attribution.policy import Method

MAX_UNIX_S: Final = 253_402_300_799
"""The end of the year 9999: what is later was given in milliseconds."""
APP_PLATFORMS: Final = ("ios", "android")
Seconds = Annotated[int, Field(strict=True, ge=0, le=MAX_UNIX_S)] | None


class ResolveIn(RequestBody):
    """What the platform gives an app that is opened for the first time; the rest is unknown.

    The four timestamps are Unix time in whole seconds, as Google's Play Install Referrer library
    gives them (developer.android.com/google/play/installreferrer/library); 0 is unknown, too.
    """

    platform: Literal["ios", "android"] | None = Field(
        default=None, description="Left out, it is what `os` names"
    )
    install_referrer: OptionalText4096 = Field(default=None, description="Play's string as it is")
    referrer_click_timestamp_seconds: Seconds = None
    install_begin_timestamp_seconds: Seconds = None
    referrer_click_timestamp_server_seconds: Seconds = None
    install_begin_timestamp_server_seconds: Seconds = None
    install_version: OptionalText64 = None
    clipboard_token: OptionalText4096 = Field(
        default=None, description="What the person let the app paste: the token, or a link with it"
    )
    universal_link: OptionalText4096 = Field(
        default=None, description="The Universal Link or App Link that opened the app"
    )
    cookie_token: OptionalText4096 = Field(
        default=None,
        description="The first-party cookie `referral_token`, where the app can see it",
    )
    device_id: OptionalText320 = Field(
        default=None, description="Of the install; the same when the app asks again"
    )
    device_model: OptionalText320 = Field(default=None, examples=["iPhone15,3", "Pixel 8"])
    os: OptionalText64 = Field(default=None, examples=["iOS 18.5", "Android 15"])
    os_version: OptionalText64 = Field(
        default=None, examples=["18.5"], description="Left out, it is looked for in `os`"
    )
    locale: OptionalText320 = Field(default=None, examples=["en-US"])
    time_zone: OptionalText64 = Field(default=None, examples=["America/New_York"])
    screen: OptionalText64 = Field(default=None, examples=["390x844"], description="In points")
    ip: OptionalText64OrHash = Field(
        default=None, description="Of the device, not of the app's server"
    )
    user_agent: Brought = None

    @property
    def effective_platform(self) -> str | None:
        """`platform`, or what `os` names where that is one."""
        named = system_name(self.os)
        return self.platform or (named if named in APP_PLATFORMS else None)

    def install(self) -> Install | None:
        """What Play told, if it told anything."""
        if self.install_referrer is None:
            return None
        return Install(
            install_referrer=self.install_referrer,
            referrer_click_timestamp_seconds=self.referrer_click_timestamp_seconds or 0,
            install_begin_timestamp_seconds=self.install_begin_timestamp_seconds or 0,
            referrer_click_timestamp_server_seconds=self.referrer_click_timestamp_server_seconds
            or 0,
            install_begin_timestamp_server_seconds=self.install_begin_timestamp_server_seconds or 0,
            install_version=self.install_version,
        )


class ResolveOut(ResponseBody):
    """Who brought the person, as far as it is known; nulls when nothing was found."""

    referral_token: str | None = Field(
        default=None, description="Goes into the signup event; with an `ask`, once it is confirmed"
    )
    code: str | None = None
    method: Method | None = None
    confidence: float = Field(default=0.0, ge=0, le=1)
    guaranteed: bool = Field(
        default=False, description="Whether a token or link tells it, and not a likeness"
    )
    ask: str | None = Field(
        default=None, description="To be asked of the person; POST the answer to `confirm`"
    )


class ConfirmIn(RequestBody):
    """What the person said to the question of `resolve`."""

    referral_token: Annotated[Text, Field(max_length=1024)]
    confirmed: Annotated[bool, Field(strict=True)] = True


class ConfirmOut(ResponseBody):
    code: str
    confirmed: bool
    outcome: str = Field(
        description="`waiting` for the signup; `bound` to the one heard before, or why it is not; "
        "`declined`; `guaranteed` when there was nothing to ask"
    )
