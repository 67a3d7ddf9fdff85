"""Bodies of /v1/attributions/resolve and /confirm: an app's first open and its person's answer."""

from typing import Annotated, Final, Literal

from pydantic import Field

from api.v1.schemas.fields import (
    AddressText,
    Consent,
    FreeText,
    NonBlankText,
    OptionalText64,
    OptionalText320,
    OptionalText4096,
    RequestBody,
    ResponseBody,
)
from domain.attribution.click_matching import normalise_traits, system_name
from domain.attribution.install_referrer import Install
from domain.attribution.policy import Method

MAX_UNIX_S: Final = 253_402_300_799
"""The end of the year 9999, in Unix seconds; rejects timestamps given in milliseconds."""
APP_PLATFORMS: Final = ("ios", "android")
OptionalUnixS = Annotated[int, Field(strict=True, ge=0, le=MAX_UNIX_S)] | None


class ResolveIn(RequestBody):
    """An app's first open, with whatever the app knows. All fields are optional.

    The four timestamps are Unix time in whole seconds, as Google's Play Install Referrer library
    returns them (developer.android.com/google/play/installreferrer/library); 0 means unknown.
    """

    # The body's JSON is hashed into a stored visitor id: fields keep their names and their order.
    platform: Literal["ios", "android"] | None = Field(
        default=None, description="Left out, it is derived from `os`"
    )
    install_referrer: OptionalText4096 = Field(
        default=None, description="The string from the Play Install Referrer library, unchanged"
    )
    referrer_click_timestamp_seconds: OptionalUnixS = None
    install_begin_timestamp_seconds: OptionalUnixS = None
    referrer_click_timestamp_server_seconds: OptionalUnixS = None
    install_begin_timestamp_server_seconds: OptionalUnixS = None
    install_version: OptionalText64 = None
    clipboard_token: OptionalText4096 = Field(
        default=None,
        description="What the person pasted into the app: the token, or a link that contains it",
    )
    universal_link: OptionalText4096 = Field(
        default=None, description="The Universal Link or App Link that opened the app"
    )
    cookie_token: OptionalText4096 = Field(
        default=None,
        description="The first-party cookie `referral_token`, where the app can read it",
    )
    device_id: OptionalText320 = Field(
        default=None, description="The app's own id of the install; the same in every retry"
    )
    device_model: OptionalText320 = Field(default=None, examples=["iPhone15,3", "Pixel 8"])
    os: OptionalText64 = Field(default=None, examples=["iOS 18.5", "Android 15"])
    os_version: OptionalText64 = Field(
        default=None, examples=["18.5"], description="Left out, it is derived from `os`"
    )
    locale: OptionalText320 = Field(default=None, examples=["en-US"])
    time_zone: OptionalText64 = Field(default=None, examples=["America/New_York"])
    screen: OptionalText64 = Field(
        default=None, examples=["390x844"], description="Width x height, in points"
    )
    ip: AddressText = Field(
        default=None, description="The device's address, not that of the app's server"
    )
    user_agent: FreeText = None
    consent: Consent = Field(default=None, exclude_if=lambda value: value is None)

    def personal(self) -> dict[str, str | None]:
        """Return what is kept of the device and its network, as reported."""
        names = () if self.consent is False else ("ip", "user_agent", "device_id")
        return {name: getattr(self, name) for name in names}

    def device_traits(self) -> dict[str, str]:
        """Return the normalised device traits, for comparison with clicks."""
        if self.consent is False:
            return {}
        return normalise_traits(
            os=self.effective_platform or self.os,
            os_version=self.os_version or self.os,
            model=self.device_model,
            locale=self.locale,
            time_zone=self.time_zone,
            screen=self.screen,
        )

    @property
    def effective_platform(self) -> str | None:
        """`platform`, or the one that `os` names."""
        os_platform = system_name(self.os)
        return self.platform or (os_platform if os_platform in APP_PLATFORMS else None)

    def to_install(self) -> Install | None:
        """Return what the Play Install Referrer library reported, or None without a referrer."""
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
    """The invitation behind a first open; all null when nothing was found."""

    referral_token: str | None = Field(
        default=None,
        description="Send it in the signup event; where there is an `ask`, only after a confirmed"
        " yes",
    )
    code: str | None = None
    method: Method | None = None
    confidence: float = Field(default=0.0, ge=0, le=1)
    guaranteed: bool = Field(
        default=False,
        description="True for a token or link; false for a match by device and network",
    )
    ask: str | None = Field(
        default=None, description="Question to show the person; POST the answer to `confirm`"
    )


class ConfirmIn(RequestBody):
    """The person's answer to the `ask` of `resolve`."""

    referral_token: Annotated[NonBlankText, Field(max_length=1024)] = Field(
        description="The token that `resolve` returned with the `ask`"
    )
    confirmed: Annotated[bool, Field(strict=True)] = True


class ConfirmOut(ResponseBody):
    """The recorded answer and what it led to."""

    code: str
    confirmed: bool
    outcome: str = Field(
        description="`waiting` for the signup; `bound` when the signup was reported before, or the"
        " reason why it was not bound; `declined` after a no; `guaranteed` when there was nothing"
        " to ask"
    )
