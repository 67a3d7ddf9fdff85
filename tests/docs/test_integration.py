"""Code and answers shown in docs/integration, against the real service."""

import asyncio
import json
import re
import shutil
from pathlib import Path
from typing import Final

import asyncpg
import pytest

from api.http.problem_types import PROBLEM_TYPES
from api.v1.attributions import REFUSALS
from referrals.intake.events import (
    ChargebackIn,
    DepositIn,
    EventIn,
    SignupIn,
    StatusChangeIn,
    WagerIn,
    WithdrawalIn,
)
from tests import ROOT
from tests.client.signup_service import OUTBOX
from tests.client.stub_server import running_stub_server
from tests.docs.snippets import code_blocks, run_snippet
from tests.fixtures.databases import DatabaseUrls

PAGES: Final = ROOT / "docs" / "integration"
NODE: Final = shutil.which("node")
ENOUGH_S: Final = 90

# A browser as far as the snippet sees it; `page(url)` is one tab, cookies outlive it.
BROWSER: Final = """
import assert from "node:assert/strict";
import { invitation, keepToken } from "./referral.mjs";

const jar = new Map();
const cookies = {
  get cookie() { return [...jar].map(([name, value]) => `${name}=${value}`).join("; "); },
  set cookie(text) { const [name, value] = text.split(";")[0].split("="); jar.set(name, value); },
};
function page(href) {
  const kept = new Map();
  const here = {
    location: { href },
    document: cookies,
    history: { state: null, replaceState: (_, __, url) => { here.location.href = String(url); } },
    sessionStorage: { getItem: (n) => kept.get(n) ?? null, setItem: (n, v) => kept.set(n, v) },
  };
  return here;
}
"""
SCENES: Final = {
    "a token in the query goes into the signup and out of the address": """
        const tab = page("https://book.example/signup?referral_token=a%2Bb.c&lang=es");
        keepToken(tab);
        assert.equal(tab.location.href, "https://book.example/signup?lang=es");
        assert.deepEqual(invitation(tab, " friend23 "),
            { referral_token: "a+b.c", cookie_token: "a+b.c", code: "friend23" });
    """,
    "a later visit has the cookie, and a newer link replaces it": """
        keepToken(page("https://book.example/?referral_token=first"));
        const later = page("https://book.example/signup");
        keepToken(later);
        assert.deepEqual(invitation(later),
            { referral_token: undefined, cookie_token: "first", code: undefined });
        keepToken(page("https://book.example/?referral_token=second"));
        assert.equal(invitation(later).cookie_token, "second");
    """,
    "without storage the signup goes on": """
        const tab = page("https://book.example/?referral_token=token");
        const denied = { get() { throw new Error("SecurityError"); } };
        Object.defineProperty(tab, "sessionStorage", denied);
        Object.defineProperty(tab, "document", denied);
        keepToken(tab);
        assert.equal(JSON.stringify(invitation(tab, "CODE")), '{"code":"CODE"}');
    """,
    "a cookie of somebody else's making is not read": """
        jar.set("invited_by", "%E0%A4%A");
        assert.equal(invitation(page("https://book.example/")).cookie_token, undefined);
    """,
}


@pytest.mark.skipif(NODE is None, reason="node is not installed")
@pytest.mark.parametrize("scene", SCENES)
async def test_the_page_keeps_its_token(scene: str, tmp_path: Path) -> None:
    (tmp_path / "referral.mjs").write_text(code_blocks(PAGES / "web.md", "js")[0])
    (tmp_path / "scene.mjs").write_text(BROWSER + SCENES[scene])
    node = await asyncio.create_subprocess_exec(
        str(NODE), str(tmp_path / "scene.mjs"), stderr=asyncio.subprocess.PIPE
    )
    _, complaint = await asyncio.wait_for(node.communicate(), ENOUGH_S)
    assert node.returncode == 0, complaint.decode()


@pytest.mark.skipif(NODE is None, reason="node is not installed")
async def test_the_form_sends_the_tokens_that_the_page_kept(tmp_path: Path) -> None:
    module, form = code_blocks(PAGES / "web.md", "js")
    (tmp_path / "referral.js").write_text(module)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "form.js").write_text(form)
    (tmp_path / "scene.js").write_text("""
        import assert from "node:assert/strict";
        let submit;
        const form = { addEventListener: (_, listener) => { submit = listener; } };
        const location = { href: "https://book.example/?referral_token=token" };
        const document = { cookie: "", querySelector: () => form };
        const history = { replaceState() {} };
        const sessionStorage = { getItem: () => "token", setItem() {} };
        globalThis.window = { location, document, history, sessionStorage };
        globalThis.document = document;
        globalThis.FormData = class { *[Symbol.iterator]() { yield ["code", "friend23"]; } };
        let sent;
        globalThis.fetch = async (url, request) => { sent = [url, JSON.parse(request.body)]; };
        await import("./form.js");
        await submit({ preventDefault() {} });
        assert.deepEqual(sent, ["/signup",
            { code: "friend23", referral_token: "token", cookie_token: "token" }]);
    """)
    node = await asyncio.create_subprocess_exec(
        str(NODE), str(tmp_path / "scene.js"), stderr=asyncio.subprocess.PIPE
    )
    _, complaint = await asyncio.wait_for(node.communicate(), ENOUGH_S)
    assert node.returncode == 0, complaint.decode()


async def test_the_clients_example_runs() -> None:
    example = run_snippet(code_blocks(ROOT / "client" / "README.md", "python")[0])
    async with running_stub_server() as listener:
        said = await asyncio.wait_for(example["main"](listener.url, "key"), ENOUGH_S)
    assert said.startswith("no link now: Unavailable")
    received = {
        request.path: request.event_id
        for request in listener.requests
        if "event_id" in request.body
    }
    assert received == {
        "/v1/events/signups": "signup:player-7",
        "/v1/events/deposits": "deposit:d-99",
    }


async def test_the_outboxs_example_and_queries_run(empty_urls: DatabaseUrls) -> None:
    page = PAGES / "outbox.md"
    example = run_snippet(code_blocks(page, "python")[0])
    connection = await asyncpg.connect(empty_urls.owner.replace("+asyncpg", ""))
    try:
        await connection.execute("CREATE TABLE accounts (player_id text, created_at timestamptz)")
        await connection.execute("ALTER TABLE accounts ALTER created_at SET DEFAULT now()")
        await connection.execute(OUTBOX)
        await example["open_account"](connection, "player-7", "FRIEND23")
        body = json.loads(await connection.fetchval("SELECT body FROM referral_outbox"))
        for query in code_blocks(page, "sql"):
            await connection.execute(query)
    finally:
        await connection.close()
    assert SignupIn.model_validate(body).code == "FRIEND23"


def test_the_table_of_events_has_every_field() -> None:
    doors: dict[str, type[EventIn]] = {
        "signups": SignupIn,
        "deposits": DepositIn,
        "chargebacks": ChargebackIn,
        "wagers": WagerIn,
        "withdrawals": WithdrawalIn,
        "players": StatusChangeIn,
    }
    page = (PAGES / "services.md").read_text()
    for door, body in doors.items():
        (row,) = re.findall(rf"^\| `{door}` \|.*$", page, re.MULTILINE)
        needed, known = (set(re.findall(r"`(\w+)`", cell)) for cell in row.split("|")[3:5])
        shapes = body.model_fields
        always = {"event_id", "player_id", "occurred_at"}
        assert needed == {name for name in shapes if shapes[name].is_required()} - always
        assert known == {name for name in shapes if not shapes[name].is_required()}


def test_every_refusal_on_the_pages_is_one_of_the_service() -> None:
    named = refusals_named_in((PAGES / "services.md").read_text())
    assert (409, "event_conflict") in named
    assert named <= {(kind.status, code) for code, kind in PROBLEM_TYPES.items()}


def test_the_table_of_late_codes_has_every_refusal_of_a_claim() -> None:
    section = (PAGES / "services.md").read_text().partition("\n## Late codes\n")[2]
    named = refusals_named_in(section.partition("\n## ")[0])
    assert {(PROBLEM_TYPES[code].status, code) for code in REFUSALS.values()} <= named


def refusals_named_in(text: str) -> set[tuple[int, str]]:
    rows = re.findall(r"^\| (\d{3} .*?) \|", text, re.MULTILINE)
    return {
        (int(status), code)
        for row in rows
        for status, codes in re.findall(r"(4\d\d|5\d\d) ((?:`[a-z_]+`(?:, )?)+)", row)
        for code in re.findall(r"`([a-z_]+)`", codes)
    }
