"""Adapter of an OpenID Connect provider: its metadata, its keys, and the exchange of a code."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote_plus

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from referrals.access.console.identities import (
    Claims,
    NotVouchedError,
    ProviderAwayError,
    SignIn,
)

TIMEOUT_S: Final = 10.0
"""Limit of one call; a person waits for at most four."""
FRESH_S: Final = 3600.0
"""Time after which metadata and keys are read again, in seconds."""
REREAD_AFTER_S: Final = 60.0
"""Least age of keys that are read again for a token that none of them has signed."""
CLOCK_SKEW_S: Final = 60
ALGORITHMS: Final = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
"""Signatures by the provider's own key; `none` and those of a shared secret are not among them."""
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")
Metadata = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Known:
    """Metadata and keys of the provider, as read at one time."""

    metadata: Metadata
    keys: KeySet
    read_at: float


class OpenIdProvider:
    """The provider of one issuer; calls follow no redirects and use no proxies."""

    def __init__(
        self,
        issuer: str,
        *,
        client_id: str,
        client_secret: str,
        scopes: str,
        is_safe: Callable[[str], bool],
        timeout_s: float = TIMEOUT_S,
        reread_after_s: float = REREAD_AFTER_S,
    ) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._scopes = scopes
        self._is_safe = is_safe
        self._timeout_s = timeout_s
        self._reread_after_s = reread_after_s
        self._tls = httpx.create_ssl_context()  # reads SSL_CERT_FILE, where it is set
        self._known: _Known | None = None
        self._reading = asyncio.Lock()

    async def address(self, sign_in: SignIn) -> str:
        known = await self._read()
        return str(
            prepare_grant_uri(
                known.metadata["authorization_endpoint"],
                client_id=self._client_id,
                response_type="code",
                redirect_uri=sign_in.callback,
                scope=self._scopes,
                state=sign_in.state,
                nonce=sign_in.nonce,
                code_challenge=create_s256_code_challenge(sign_in.verifier),
                code_challenge_method="S256",
            )
        )

    async def claims(self, code: str, sign_in: SignIn, *, issuer: str | None) -> Claims:
        known = await self._read()
        promised = known.metadata.get("authorization_response_iss_parameter_supported")
        if issuer != self._issuer and (issuer is not None or promised):
            raise NotVouchedError("the code comes from another issuer")
        tokens = await self._exchange(known.metadata, code, sign_in)
        claims = await self._verified(tokens, sign_in)
        return {**await self._userinfo(known.metadata, tokens, claims), **claims}

    async def _exchange(self, metadata: Metadata, code: str, sign_in: SignIn) -> Mapping[str, Any]:
        """Redeem a code for tokens."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": sign_in.callback,
            "code_verifier": sign_in.verifier,
        }
        methods = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        login = None
        if "client_secret_basic" in methods:
            login = (quote_plus(self._client_id), quote_plus(self._client_secret))
        else:
            form |= {"client_id": self._client_id, "client_secret": self._client_secret}
        answer = await self._call("POST", metadata["token_endpoint"], data=form, auth=login)
        if answer.is_server_error:
            raise ProviderAwayError(f"{answer.url} answers with {answer.status_code}")
        tokens = _read_object(answer)
        if not answer.is_success:
            raise NotVouchedError(f"the code is refused: {str(tokens.get('error'))[:100]}")
        return tokens

    async def _verified(self, tokens: Mapping[str, Any], sign_in: SignIn) -> Claims:
        """Return the claims of the ID token, which the provider has signed for this sign-in."""
        try:
            token = await self._decoded(tokens.get("id_token"))
            claims = CodeIDToken(
                token.claims,
                token.header,
                options={
                    "iss": {"essential": True, "value": self._issuer},
                    "aud": {"essential": True, "value": self._client_id},
                    "sub": {"essential": True},
                },
                params={
                    "client_id": self._client_id,
                    "nonce": sign_in.nonce,
                    "access_token": tokens.get("access_token"),
                },
            )
            claims.validate(leeway=CLOCK_SKEW_S)
        except (JoseError, ValueError, TypeError, KeyError) as fault:
            raise NotVouchedError(f"the ID token is not valid: {fault}") from fault
        return dict(claims)

    async def _decoded(self, id_token: object) -> jwt.Token:
        """Decode a token, with keys read again where none has signed it: providers change them."""
        if not isinstance(id_token, str):
            raise TypeError("there is none")
        known = await self._read()
        try:
            return jwt.decode(id_token, known.keys, algorithms=list(ALGORITHMS))
        except (JoseError, ValueError):
            again = await self._read(fresh_s=self._reread_after_s)
            if again is known:
                raise
            return jwt.decode(id_token, again.keys, algorithms=list(ALGORITHMS))

    async def _userinfo(
        self, metadata: Metadata, tokens: Mapping[str, Any], claims: Claims
    ) -> Claims:
        """Return what the provider tells only there; nothing of another subject."""
        endpoint, token = metadata.get("userinfo_endpoint"), tokens.get("access_token")
        if not (token and isinstance(endpoint, str) and self._is_safe(endpoint)):
            return {}
        answer = await self._call("GET", endpoint, headers={"Authorization": f"Bearer {token}"})
        if answer.status_code != httpx.codes.OK:
            return {}
        found = _read_object(answer)
        return found if found.get("sub") == claims["sub"] else {}

    async def _read(self, *, fresh_s: float = FRESH_S) -> _Known:
        """Return what the provider publishes; callers meanwhile wait for the same answer."""
        async with self._reading:
            if self._known is None or time.monotonic() - self._known.read_at > fresh_s:
                self._known = await self._discover()
            return self._known

    async def _discover(self) -> _Known:
        address = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        metadata = await self._get(address)
        if metadata.get("issuer") != self._issuer:
            raise ProviderAwayError(f"{address} is the metadata of another issuer")
        for name in _ENDPOINTS:
            if not self._is_safe(str(metadata.get(name))):
                raise ProviderAwayError(f"{address} has no {name} that is safe to use")
        try:
            keys = KeySet.import_key_set(await self._get(metadata["jwks_uri"]))  # type: ignore[arg-type]
        except (JoseError, ValueError, KeyError, TypeError) as fault:
            raise ProviderAwayError(f"the keys cannot be read: {fault}") from fault
        return _Known(metadata, keys, time.monotonic())

    async def _get(self, address: str) -> Mapping[str, Any]:
        answer = await self._call("GET", address)
        if answer.status_code != httpx.codes.OK:
            raise ProviderAwayError(f"{address} answers with {answer.status_code}")
        return _read_object(answer)

    async def _call(self, method: str, address: str, **content: Any) -> httpx.Response:  # noqa: ANN401
        try:
            async with httpx.AsyncClient(
                verify=self._tls,
                timeout=self._timeout_s,
                follow_redirects=False,
                trust_env=False,
            ) as client:
                return await client.request(method, address, **content)
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            raise ProviderAwayError(f"{address} does not answer: {fault!r}") from fault


def _read_object(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        found = answer.json()
    except ValueError as fault:
        raise ProviderAwayError(f"{answer.url} answers with something else than JSON") from fault
    if not isinstance(found, dict):
        raise ProviderAwayError(f"{answer.url} answers with something else than an object")
    return found
