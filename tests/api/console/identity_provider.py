"""An OpenID Connect provider on a loopback address: authlib's server side behind Starlette."""

import asyncio
import secrets
import socket
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

import uvicorn
from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Payload, OAuth2Request
from authlib.oauth2.rfc6749.errors import OAuth2Error
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import AuthorizationCodeMixin, UserInfo
from authlib.oidc.core.grants import OpenIDCode
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

CLIENT_ID: Final = "the-console"
CLIENT_SECRET: Final = "a secret of the console"
KEY: Final = RSAKey.generate_key(2048, {"kid": "first"}, auto_kid=False)


@dataclass
class Behaviour:
    """The person at the provider, and what it does otherwise than it should."""

    user: dict[str, Any] | None = None
    """Claims of the person; without them the person refuses."""
    only_in_userinfo: frozenset[str] = frozenset()
    claims: dict[str, Any] = field(default_factory=dict)
    """Claims that the ID token has instead of the right ones."""
    key: RSAKey = field(default_factory=lambda: KEY)
    """Key that signs."""
    published: RSAKey = field(default_factory=lambda: KEY)
    metadata: dict[str, Any] = field(default_factory=dict)
    token_status: int | None = None


@dataclass
class _Code(AuthorizationCodeMixin):  # type: ignore[misc]
    code: str
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str
    code_challenge_method: str

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int:
        return int(time.time())

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


class _Client(ClientMixin):  # type: ignore[misc]
    """The console, as the provider knows it."""

    def __init__(self, callback: str) -> None:
        self._callback = callback

    def get_client_id(self) -> str:
        return CLIENT_ID

    def get_default_redirect_uri(self) -> str:
        return self._callback

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self._callback

    def check_client_secret(self, client_secret: str) -> bool:
        return secrets.compare_digest(client_secret, CLIENT_SECRET.replace(" ", "+"))

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        return bool(response_type == "code")

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


class _Payload(OAuth2Payload):  # type: ignore[misc]
    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    @property
    def data(self) -> Mapping[str, str]:
        return self._values

    @property
    def datalist(self) -> dict[str, list[str]]:
        return defaultdict(list, {name: [value] for name, value in self._values.items()})


class _Request(OAuth2Request):  # type: ignore[misc]
    def __init__(self, request: Request, values: Mapping[str, str]) -> None:
        # The provider listens on a loopback address, where authlib would ask for https.
        super().__init__(request.method, f"https://{request.url.netloc}", None, request.headers)
        self.payload = _Payload(values)

    @property
    def form(self) -> Mapping[str, str]:
        values: Mapping[str, str] = self.payload.data
        return values

    args = form


class Provider(AuthorizationServer):  # type: ignore[misc]
    """The provider, with one client and one person."""

    def __init__(self, issuer: str, callback: str) -> None:
        super().__init__()
        self.issuer = issuer
        self.client = _Client(callback)
        self.behaviour = Behaviour()
        self.codes: dict[str, _Code] = {}
        self.register_token_generator(
            "default", BearerTokenGenerator(lambda **_: secrets.token_urlsafe())
        )
        self.register_grant(_grant_of(self), [_id_tokens_of(self), CodeChallenge(required=True)])

    def query_client(self, client_id: str) -> _Client | None:
        return self.client if client_id == CLIENT_ID else None

    def save_token(self, token: object, request: object) -> None:
        pass

    def send_signal(self, *args: object, **kwargs: object) -> None:
        pass

    def create_oauth2_request(self, request: OAuth2Request) -> OAuth2Request:
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> Response:  # noqa: ANN401
        answer = JSONResponse(body, status) if isinstance(body, dict) else Response(body, status)
        answer.headers.update(dict(headers))
        return answer

    def claims(self, *, of_userinfo: bool) -> dict[str, Any]:
        hidden = frozenset() if of_userinfo else self.behaviour.only_in_userinfo
        user = self.behaviour.user or {}
        return {name: value for name, value in user.items() if name not in hidden}

    def routes(self) -> list[Route]:
        return [
            Route("/.well-known/openid-configuration", self._metadata),
            Route("/keys", self._keys),
            Route("/authorize", self._authorize),
            Route("/token", self._token, methods=["POST"]),
            Route("/userinfo", self._userinfo),
        ]

    async def _metadata(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "jwks_uri": f"{self.issuer}/keys",
                **self.behaviour.metadata,
            }
        )

    async def _keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [self.behaviour.published.as_dict(private=False)]})

    async def _authorize(self, request: Request) -> Response:
        asked = _Request(request, dict(request.query_params))
        user = self.behaviour.user
        try:
            grant = self.get_consent_grant(asked, end_user=user)
        except OAuth2Error as error:
            return JSONResponse({"error": error.error, "says": error.description}, 400)
        answer: Response = self.create_authorization_response(asked, user, grant)
        return answer

    async def _token(self, request: Request) -> Response:
        if self.behaviour.token_status is not None:
            return Response("a proxy says so", self.behaviour.token_status)
        values = dict(parse_qsl((await request.body()).decode()))
        answer: Response = self.create_token_response(_Request(request, values))
        return answer

    async def _userinfo(self, _: Request) -> Response:
        return JSONResponse(self.claims(of_userinfo=True))


def _grant_of(provider: Provider) -> type[AuthorizationCodeGrant]:
    class Grant(AuthorizationCodeGrant):  # type: ignore[misc]
        TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)

        def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
            asked = request.payload.data
            provider.codes[code] = _Code(
                code=code,
                redirect_uri=asked["redirect_uri"],
                scope=asked["scope"],
                nonce=asked.get("nonce"),
                code_challenge=asked["code_challenge"],
                code_challenge_method=asked["code_challenge_method"],
            )

        def query_authorization_code(self, code: str, client: _Client) -> _Code | None:
            return provider.codes.get(code)

        def delete_authorization_code(self, authorization_code: _Code) -> None:
            del provider.codes[authorization_code.code]

        def authenticate_user(self, authorization_code: _Code) -> dict[str, Any] | None:
            return provider.behaviour.user

    return Grant


def _id_tokens_of(provider: Provider) -> OpenIDCode:
    class IdTokens(OpenIDCode):  # type: ignore[misc]
        def exists_nonce(self, nonce: str, request: OAuth2Request) -> bool:
            return any(code.nonce == nonce for code in provider.codes.values())

        def resolve_client_private_key(self, client: _Client) -> RSAKey:
            return provider.behaviour.key

        def get_encode_header(self, client: _Client) -> dict[str, str]:
            return {"alg": "RS256", "kid": str(provider.behaviour.key.kid)}

        def get_client_claims(self, client: _Client) -> dict[str, Any]:
            return {"iss": provider.issuer, "aud": [CLIENT_ID]}

        def generate_user_info(self, user: dict[str, Any], scope: str) -> UserInfo:
            return UserInfo({**provider.claims(of_userinfo=False), **provider.behaviour.claims})

    return IdTokens()


@asynccontextmanager
async def provider_on_loopback(callback: str) -> AsyncIterator[Provider]:
    """Serve a provider that sends people back to `callback`."""
    listener = socket.create_server(("127.0.0.1", 0))
    provider = Provider(f"http://127.0.0.1:{listener.getsockname()[1]}", callback)
    config = uvicorn.Config(Starlette(routes=provider.routes()), log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield provider
    finally:
        server.should_exit = True
        await serving
