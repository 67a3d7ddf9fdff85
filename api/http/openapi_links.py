"""Links of the OpenAPI document: which answer holds the parameter of which other route."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple


class Link(NamedTuple):
    """A parameter of one route that an answer of another holds."""

    method: str
    path: str
    parameter: str
    value: str
    """Runtime expression of OpenAPI, such as `$response.body#/code`."""


_CODE: Final = "$response.body#/code"
_REFERRAL: Final = "$response.body#/referral_id"
_SLUG: Final = "$response.body#/slug"
_WEBHOOK: Final = "$response.body#/webhook_id"
_CURSOR: Final = "$response.body#/next_cursor"
_ITEM: Final = "$response.body#/items/0"
LINKS: Final[Mapping[tuple[str, str, str], tuple[Link, ...]]] = {
    ("post", "/v1/codes", "201"): (
        Link("get", "/v1/codes/{code}", "code", _CODE),
        Link("get", "/r/{code}", "code", _CODE),
    ),
    ("post", "/v1/clicks", "201"): (
        Link("get", "/v1/referrals/{referral_id}", "referral_id", _REFERRAL),
        Link("get", "/v1/referrals/{referral_id}/facts", "referral_id", _REFERRAL),
    ),
    ("post", "/v1/campaigns", "201"): (
        Link("get", "/v1/campaigns/{slug}", "slug", _SLUG),
        Link("put", "/v1/campaigns/{slug}", "slug", _SLUG),
        Link("post", "/v1/campaigns/{slug}/fund", "slug", _SLUG),
        Link("post", "/v1/campaigns/{slug}/defund", "slug", _SLUG),
    ),
    ("post", "/v1/webhooks", "201"): (
        Link("get", "/v1/webhooks/{webhook_id}", "webhook_id", _WEBHOOK),
        Link("get", "/v1/webhooks/{webhook_id}/deliveries", "webhook_id", _WEBHOOK),
        Link("delete", "/v1/webhooks/{webhook_id}", "webhook_id", _WEBHOOK),
    ),
    ("get", "/v1/referrals", "200"): (
        Link("get", "/v1/referrals", "cursor", _CURSOR),
        Link("get", "/v1/referrals/{referral_id}", "referral_id", f"{_ITEM}/referral_id"),
        Link("get", "/v1/referrals/{referral_id}/facts", "referral_id", f"{_ITEM}/referral_id"),
    ),
    ("get", "/v1/rewards", "200"): (
        Link("get", "/v1/rewards", "cursor", _CURSOR),
        Link("get", "/v1/rewards/{reward_id}/evidence", "reward_id", f"{_ITEM}/reward_id"),
    ),
    ("get", "/v1/attributions", "200"): (
        Link("get", "/v1/attributions", "cursor", _CURSOR),
        Link("get", "/v1/attributions/{attempt_id}", "attempt_id", f"{_ITEM}/attempt_id"),
    ),
    ("get", "/v1/campaigns", "200"): (Link("get", "/v1/campaigns", "cursor", _CURSOR),),
    ("get", "/v1/reviews", "200"): (Link("get", "/v1/reviews", "cursor", _CURSOR),),
}
"""By method, path and status of the answer."""

_NAME: Final = str.maketrans(" /{}", "____")
"""Names of links have letters, digits and underscores."""


def add_links(document: Mapping[str, Any]) -> None:
    paths = document["paths"]
    for (method, path, status), links in LINKS.items():
        answer = paths[path][method]["responses"][status]
        answer["links"] = {
            f"{link.method} {link.path} by {link.parameter}".translate(_NAME): {
                "operationId": paths[link.path][link.method]["operationId"],
                "parameters": {link.parameter: link.value},
            }
            for link in links
        }
