"""One value for all spellings in which people, phones and proxies write it."""

# ruff: noqa: RUF001 - people write digits and letters of every script

import pytest

from domain.privacy import Hasher
from referrals.intake.normalising import matching_of, matching_text

HASHER = Hasher("a key for tests", public_url="https://refer.example")
LONG_LIST = "203.0.113.9" + ", 198.51.100.1" * 80


@pytest.mark.parametrize(
    "written",
    [
        "+1 (555) 010-9999",
        "+1 555.010.9999",
        "+١ ٥٥٥ ٠١٠ ٩٩٩٩",
        "+१ ५५५ ०१० ९९९९",
        "＋１ ５５５ ０１０ ９９９９",
        "001 555 010 9999",
        "00 1 555 010 9999",
        "15550109999",
        "(555) 010-9999",
        "555‑010‑9999",
        "\u200e+1 555 010 9999\u200f",
        "tel:+1-555-010-9999",
        "+1 555 010 9999 ext. 4",
        "(555) 010-9999 x12",
        "tel:+15550109999;ext=7",
        "tel:+15550109999;phone-context=+1",
        "+1 555 010 9999,,4#",
        "+15550109999,5",
        "+1 555 010 9999 x.5",
    ],
)
def test_a_phone_is_one_number_in_every_script_and_spelling(written: str) -> None:
    assert matching_text("phone", written, jurisdiction="US-NJ") == "15550109999"


@pytest.mark.parametrize(
    ("written", "jurisdiction", "digits"),
    [
        ("07700 900123", "GB", "447700900123"),
        ("+44 (0)7700 900123", "US-NJ", "447700900123"),
        ("+0044 7700 900123", "US-NJ", "447700900123"),
        ("0151 12345678", "DE", "4915112345678"),
        ("06 1234 5678", "IT", "390612345678"),
        ("07700 900123", None, "07700900123"),
        ("447700900123", "US-NJ", "447700900123"),
        ("no phone", "US-NJ", "no phone"),
        ("12", "US-NJ", "12"),
        ("555 010 9999", "nowhere", "5550109999"),
        ("020 7946 0958", "UK", "442079460958"),
        ("0011 44 20 7946 0958", "AU", "442079460958"),
        ("0015550109999", "BR", "15550109999"),
        ("1-800-FLOWERS", "US-NJ", "18003569377"),
        ("1-800-356-9377", "US-NJ", "18003569377"),
        ("+44 20 7946 0958 home", "GB", "442079460958"),
        ("+52 1 55 1234 5678", "MX", "525512345678"),
        ("044 55 1234 5678", "MX", "525512345678"),
        ("55 1234 5678", "MX", "525512345678"),
        ("+54 9 11 2345 6789", "AR", "541123456789"),
        ("011 15-2345-6789", "AR", "541123456789"),
        ("11 2345-6789", "AR", "541123456789"),
        ("0351 15 555 1234", "AR", "543515551234"),
        ("+54 351 555 1234", None, "543515551234"),
    ],
)
def test_a_national_number_is_one_of_the_players_country(
    written: str, jurisdiction: str | None, digits: str
) -> None:
    assert matching_text("phone", written, jurisdiction=jurisdiction) == digits


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        (" ANN@Example.com ", "ann@example.com"),
        ("ann+promo@example.com", "ann@example.com"),
        ("Ann.Lee+x@GoogleMail.com", "annlee@gmail.com"),
        ("Ann Lee <ann@example.com>", "ann@example.com"),
        ("mailto:ann@example.com", "ann@example.com"),
        ("ａｎｎ＠ｅｘａｍｐｌｅ．com", "ann@example.com"),
        ("an\u200bn@example.com.", "ann@example.com"),
        ("jose\u0301@example.com", "josé@example.com"),
        ("ann@münchen.example", "ann@xn--mnchen-3ya.example"),
        ("ann@MÜNCHEN.example", "ann@xn--mnchen-3ya.example"),
        ("a.n_n-@pm.me", "ann@proton.me"),
        ("ann@mac.com", "ann@icloud.com"),
        ("ann-shop@yahoo.com", "ann@yahoo.com"),
        ("ann-shop@yahoo.co.uk", "ann@yahoo.co.uk"),
        ("ann-shop@ymail.com", "ann@ymail.com"),
        ("ann-shop@example.com", "ann-shop@example.com"),
        ("a.nn@yandex.com.tr", "ann@yandex.ru"),
        ("shop@ann.fastmail.com", "ann@fastmail.com"),
        ("shop@ann.fastmail.co.uk", "ann@fastmail.co.uk"),
        ("shop@ann.sent.com", "ann@sent.com"),
        ("an\ufe0fn@example.com", "ann@example.com"),
        ("a\u3164nn\U000e0101@example.com", "ann@example.com"),
        ("ann", "ann"),
        ("mailto:ann%2Bx@example.com?subject=hi", "ann@example.com"),
        ("ann@example.com (Ann Lee)", "ann@example.com"),
        ("(ann@example.com)", "ann@example.com"),
        ("“ann@example.com”,", "ann@example.com"),
        ("«ann@example.com»", "ann@example.com"),
        ("Ann <ann@example.com>;", "ann@example.com"),
        ("ann%40example.com", "ann@example.com"),
        ("Ann Lee (ann@example.com)", "ann@example.com"),
        ("Ann <mailto:ann@example.com>", "ann@example.com"),
        ("SMTP:ann@example.com", "ann@example.com"),
        ("Email: ann@example.com", "ann@example.com"),
        ("acct:ann@example.com", "ann@example.com"),
        ("mailto://ann@example.com", "ann@example.com"),
        ("ann@example.com, ann@example.com", "ann@example.com"),
        ("ann@example.com; bob@example.com", "ann@example.com"),
        ("ann@example.com?subject=hi", "ann@example.com"),
        ("ann@@example.com", "ann@example.com"),
        ("ann (at) example.com", "ann (at) example.com"),
    ],
)
def test_a_mailbox_is_one_however_its_provider_lets_it_be_written(written: str, plain: str) -> None:
    assert matching_text("email", written) == plain


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:443", "203.0.113.9"),
        ("203.0.113.9, 10.0.0.1", "203.0.113.9"),
        ("10.0.0.1, 203.0.113.9", "203.0.113.9"),
        ("unknown, 203.0.113.9", "203.0.113.9"),
        ("for=203.0.113.9;proto=https;by=10.0.0.1", "203.0.113.9"),
        ('for="[2001:db8::1]:4711"', "2001:db8::1"),
        ("[2001:DB8:0::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1%eth0", "2001:db8::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.1"),
        (LONG_LIST, "203.0.113.9"),
        ("somewhere", "somewhere"),
        ("203.0.113.9/32", "203.0.113.9"),
        ("2001:db8::1/128", "2001:db8::1"),
        ("203.0.113.9.", "203.0.113.9"),
        ("203.0.113.9|10.0.0.1", "203.0.113.9"),
        ("64:ff9b::203.0.113.9", "203.0.113.9"),
        ("0.0.0.0, 203.0.113.9", "203.0.113.9"),
        ("::, fec0::1, 2001:db8::1", "2001:db8::1"),
        ("by=198.51.100.1;for=203.0.113.9", "203.0.113.9"),
        ("client=203.0.113.9", "203.0.113.9"),
        ('["203.0.113.9","10.0.0.1"]', "203.0.113.9"),
        ("(203.0.113.9)", "203.0.113.9"),
        ("<203.0.113.9>", "203.0.113.9"),
        ("tcp://203.0.113.9:80", "203.0.113.9"),
        ("http://203.0.113.9/", "203.0.113.9"),
        ("203.0.113.9:", "203.0.113.9"),
        ("203.000.113.009", "203.0.113.9"),
        ("203\u30020\u3002113\u30029", "203.0.113.9"),
        ("ipv4:203.0.113.9", "203.0.113.9"),
        ("IPv6:2001:db8::1", "2001:db8::1"),
        ("[IPv6:2001:db8::1]", "2001:db8::1"),
        ("/203.0.113.9:443", "203.0.113.9"),
        ("phone-1/203.0.113.9:443", "203.0.113.9"),
        ("/[2001:db8:0:0:0:0:0:1]:443", "2001:db8::1"),
        ("/2001:db8:0:0:0:0:0:1:443", "2001:db8::1"),
        ("tcp4:203.0.113.9:443", "203.0.113.9"),
        ("inet6:2001:db8::1", "2001:db8::1"),
        ("203.0.113.9#53", "203.0.113.9"),
        ("203.0.113.9->10.0.0.1", "203.0.113.9"),
        ("203.0.113.9\\n", "203.0.113.9"),
        ("203.0.113.9-203.0.113.10", "203.0.113.9-203.0.113.10"),
        ("3405803785", "3405803785"),
        ("0xcb007109", "0xcb007109"),
        ("2001-db8--1.ipv6-literal.net", "2001-db8--1.ipv6-literal.net"),
    ],
)
def test_an_address_is_read_as_proxies_write_it(written: str, address: str) -> None:
    assert matching_text("ip", written) == address


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("203.0.113.9", "203.0.113.200", True),
        ("203.0.113.9", "203.0.114.9", False),
        ("2001:db8:1:2::a", "2001:db8:1:2:ffff::b", True),
        ("2001:db8:1:2::a", "2001:db8:1:3::a", False),
    ],
)
def test_the_network_of_an_address_stands_beside_it(one: str, other: str, *, same: bool) -> None:
    networks = [matching_of({"ip": text}, HASHER)["network"] for text in (one, other)]

    assert (networks[0] == networks[1]) is same


def test_words_of_a_name_are_matched_without_accents_or_order() -> None:
    one, other = (matching_of({"full_name": name}, HASHER) for name in ("José Díaz", "diaz, jose"))

    assert one["full_name"] == other["full_name"]
    assert sorted(one["name_words"]) == sorted(other["name_words"])


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("device_id", "00000000-0000-0000-0000-000000000000"),
        ("device_id", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"),
        ("device_id", "9774D56D682E549C"),
        ("device_id", "02:00:00:00:00:00"),
        ("device_id", "(null)"),
        ("device_id", "[object Object]"),
        ("payment_instrument", "undefined"),
        ("kyc_subject", "N/A"),
        ("kyc_subject", " \u200b- "),
        ("phone", "+00 0000 0000"),
        ("phone", "٠٠٠٠٠٠"),
        ("phone", "unknown"),
        ("email", "none"),
        ("full_name", "Not provided"),
    ],
)
def test_a_placeholder_is_no_value_to_match(field: str, text: str) -> None:
    assert matching_of({field: text}, HASHER) == {"unsaid": [field]}


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("device_id", "00000000-0000-0000-0000-000000000001"),
        ("device_id", "7"),
        ("kyc_subject", "000"),
        ("payment_instrument", "card"),
        ("full_name", "Null Nullsen"),
        ("full_name", "Aaaa"),
        ("email", "none@example.com"),
        ("phone", "+1 555 010 9999"),
    ],
)
def test_a_value_that_is_like_a_placeholder_counts(field: str, text: str) -> None:
    assert "unsaid" not in matching_of({field: text}, HASHER)


def test_an_instrument_that_only_names_the_method_is_no_value() -> None:
    named = {"payment_instrument": "Bank Transfer", "method": "bank transfer"}

    assert matching_of(named, HASHER) == {"unsaid": ["payment_instrument"]}
    assert matching_of({**named, "payment_instrument": "bank transfer 4711"}, HASHER) == {}


def test_what_came_hashed_or_is_not_personal_has_nothing_to_match() -> None:
    hashed = {"phone": HASHER.hash("phone", "1"), "ip": HASHER.hash("ip", "203.0.113.9")}

    assert matching_of({**hashed, "player_id": "p", "email": None, "full_name": " "}, HASHER) == {}


def test_a_plain_value_has_the_hash_that_earlier_releases_made() -> None:
    body = {"phone": "+1 555 010 9999", "email": "ann@example.com", "ip": "203.0.113.9"}

    matching = matching_of({**body, "jurisdiction": "US-NJ"}, HASHER)

    assert {field: matching[field] for field in body} == HASHER.hash_each(body)


@pytest.mark.parametrize(
    ("field", "written", "one"),
    [
        (
            "device_id",
            "6F9619FF-8B86-D011-B42D-00CF4FC964FF",
            "6f9619ff-8b86-d011-b42d-00cf4fc964ff",
        ),
        (
            "device_id",
            "{6f9619ff-8b86-d011-b42d-00cf4fc964ff}",
            "6f9619ff-8b86-d011-b42d-00cf4fc964ff",
        ),
        ("device_id", "6f9619ff8b86d011b42d00cf4fc964ff", "6f9619ff-8b86-d011-b42d-00cf4fc964ff"),
        (
            "device_id",
            "urn:uuid:6f9619ff-8b86-d011-b42d-00cf4fc964ff",
            "6f9619ff-8b86-d011-b42d-00cf4fc964ff",
        ),
        ("payment_instrument", "4111\u200b-11\uff38\uff38 ", "4111-11xx"),
        ("kyc_subject", "PASS\u00a0\uff11\uff12", "pass 12"),
        ("device_id", "6f9619ff-8b86d011-b42d00cf4fc964ff", "6f9619ff-8b86d011-b42d00cf4fc964ff"),
    ],
)
def test_an_id_is_one_however_it_is_written(field: str, written: str, one: str) -> None:
    found = matching_of({field: written}, HASHER).get(field, HASHER.hash(field, written))

    assert found == HASHER.hash(field, one)
    assert matching_text(field, written) == one
    assert field not in matching_of({field: one}, HASHER)
