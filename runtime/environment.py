"""The environment variables of a deployment, from which all settings are read."""

from typing import Final

from pydantic_settings import SettingsConfigDict

ENV_PREFIX: Final = "REFERRALS_"
# An error about one variable must not print the others: some are secret.
FROM_ENVIRONMENT: Final = SettingsConfigDict(
    env_prefix=ENV_PREFIX, env_ignore_empty=True, frozen=True, hide_input_in_errors=True
)
