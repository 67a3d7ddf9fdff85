"""Tests of the settings with which people sign in at an identity provider."""

from typing import Any

import pytest
from pydantic import ValidationError

from runtime.sign_in_settings import SignInSettings


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"oidc_issuer": "https://id.example"}, "set together"),
        ({"oidc_issuer": "http://id.example"}, "by https"),
        ({"oidc_roles": {"staff": "owner"}}, "auditor"),
    ],
    ids=["incomplete", "no TLS", "no such role"],
)
def test_refuses_settings_with_which_nobody_could_sign_in(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        SignInSettings(**given)
