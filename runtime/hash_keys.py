"""Keys of the hashes of personal data: the newest, with which is written, and earlier ones."""

import json
import secrets
from collections.abc import Mapping
from typing import Annotated, Final, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from domain.privacy import Hasher
from runtime.environment import ENV_PREFIX, FROM_ENVIRONMENT

MAX_VERSION: Final = 9_999
HashKey = Annotated[SecretStr, Field(min_length=16)]
KeyVersion = Annotated[int, Field(ge=1, le=MAX_VERSION)]


class HashKeySettings(BaseSettings):
    """Keys of the HMAC under which personal data is stored; the same for all processes."""

    model_config = FROM_ENVIRONMENT

    hash_key: HashKey
    """Newest key, with which everything is written."""
    hash_key_version: KeyVersion = 1
    """Version of the newest key, which stands in every hash: one more at each rotation."""
    earlier_hash_keys: dict[KeyVersion, HashKey] = Field(default_factory=dict)
    """Earlier keys that are still read with, by version, as JSON: {"1": "…"}."""

    @field_validator("earlier_hash_keys", mode="before")
    @classmethod
    def _read_json(cls, value: object) -> object:
        """Read the variable's text where somebody else has read the environment."""
        return json.loads(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _validate_versions(self) -> Self:
        if any(version >= self.hash_key_version for version in self.earlier_hash_keys):
            raise ValueError("EARLIER_HASH_KEYS must be of versions before HASH_KEY_VERSION")
        return self

    def hasher_of(self, *, public_url: str) -> Hasher:
        """Return the hasher that writes with the newest key and knows the earlier ones."""
        return Hasher(
            self.hash_key.get_secret_value(),
            public_url=public_url,
            version=self.hash_key_version,
            earlier_secrets=_revealed(self.earlier_hash_keys),
        )

    def rotated(self) -> dict[str, str]:
        """Return the variables of these keys with a new one as the newest."""
        earlier = _revealed(self.earlier_hash_keys)
        earlier[self.hash_key_version] = self.hash_key.get_secret_value()
        return {
            f"{ENV_PREFIX}HASH_KEY": secrets.token_hex(24),
            f"{ENV_PREFIX}HASH_KEY_VERSION": str(self.hash_key_version + 1),
            f"{ENV_PREFIX}EARLIER_HASH_KEYS": json.dumps(earlier),
        }


def _revealed(keys: Mapping[int, SecretStr]) -> dict[int, str]:
    return {version: key.get_secret_value() for version, key in keys.items()}
