"""Phone numbers and mail addresses in reasons and references."""

import pytest

from referrals.intake.contacts import has_contacts, mask_contacts, mask_reason


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("called on +44 7911 123456, twice", "called on [phone number], twice"),
        ("called on 447911123456", "called on [phone number]"),
        ("called on 0044 7911 123456.", "called on [phone number]."),
        ("called (212) 555-0147", "called [phone number]"),
        ("wrote from jane.seed+x@mail.example.", "wrote from [mail address]."),
        ("jane@mail.example, +447911123456", "[mail address], [phone number]"),
        ("Jane <jane@mail.example>", "Jane <[mail address]>"),
    ],
)
def test_a_phone_number_or_mail_address_is_masked(written: str, kept: str) -> None:
    assert mask_contacts(written) == kept
    assert mask_contacts(kept) == kept


def test_a_reason_is_refused_where_its_masks_make_it_too_long_to_store() -> None:
    assert mask_reason("a@b.co " * 60) == "[mail address] " * 60
    with pytest.raises(ValueError, match="fewer mail addresses"):
        mask_reason("a@b.co " * 71)


@pytest.mark.parametrize(
    "written",
    [
        "two of one household",
        "deposit 1234567 of 2026-03-01 12:00:00 and 2026-03-02",
        "referral 1b4e28ba-2fa1-11d2-883f-001600163345",
        "from 203.0.113.77 and 2001:db8::12:3456",
        "order 5552671234, 10000000 minor units, 1767225600000",
        "10.000.000 paid @ once; 1,000,000.00 USD",
        "event 12345678-90",
    ],
)
def test_ids_times_addresses_and_amounts_stay(written: str) -> None:
    assert mask_contacts(written) == written


@pytest.mark.parametrize(
    ("reference", "is_refused"),
    [
        ("bet-77", False),
        ("447911123456", False),
        ("2026-03-01/77", False),
        ("1b4e28ba-2fa1-11d2-883f-001600163345", False),
        ("+44 7911 123456", True),
        ("+447911123456", True),
        ("jane.seed@mail.example", True),
    ],
)
def test_a_reference_is_an_id_and_no_contact(reference: str, *, is_refused: bool) -> None:
    assert has_contacts(reference) is is_refused
