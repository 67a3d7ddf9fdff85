"""Codes that spell a profanity, and those that only hold its letters."""

import pytest

from domain.codes import ALPHABET, code_from_bytes
from domain.profanities import ALONE, ANYWHERE, is_profane

PROFANE = """
    FCUK HIJODEPUTA FILSDEPUTE X-HIJADEPUTA PIMMEL P1MMEL CHIOTTE PENDEJA WETBACK 5UICIDE HANDJOB
    FUCK FUCKYOU F-U-C-K FUUUCK SH1T 5HIT BULLSH1T B1TCH A55 ASS-2026 MIERDA PUTA PUT4 CABRON
    CARALHO PORRA MERDE CONNARD ENCULE SCHEISSE ARSCHLOCH WICHSER FOTZE HURENSOHN NAZI88 N1GG3R CUNT
    KKK SEX DICK_1 XXX HITLER FVCK MERDA BICHA-1 CUZAO BRANLEUR NEGER SPASTI RAPE R4PE COUILLES
    PHUCK-U B0STA CHATTE CACETE
"""
INNOCENT = """
    DEPUTADO CORNELIA HOMER RECTOR MOLESKINE FICKLE DISPUTE-1
    ANN-10 FRIEND23 SOCCER ESSEX SUSSEX CLASSIC BASS-LINE SCUNTHORPE DICKINSON HANCOCK COCKBURN
    CASSANDRA ANALYST SHIITAKE COMPUTER CUMBRIA TITAN MIDDLESEX UNIQUE GRASS PASSION SPICY RAPELLI
    GRAPE THERAPIST SPICK RACCOON HABITE BITEN MONGOLIA NEGRESCO VULTURE CALCULO CHATTERBOX
    YAMASHITA CULTURE CONRAD CON-ANA SAUL DEPUTY 3GAWH3UP STRASSE
"""


@pytest.mark.parametrize("code", PROFANE.split())
def test_knows_a_profanity_in_any_of_the_languages(code: str) -> None:
    assert is_profane(code)


@pytest.mark.parametrize("code", INNOCENT.split())
def test_takes_an_innocent_code(code: str) -> None:
    assert not is_profane(code)


def test_every_word_of_the_list_is_known() -> None:
    assert [word for word in (*ANYWHERE, *sorted(ALONE)) if not is_profane(word)] == []


def test_hardly_a_drawn_code_is_refused() -> None:
    drawn = [code_from_bytes(f"{n:08d}".encode()) for n in range(2000)]
    assert sum(map(is_profane, drawn)) < 20
    assert set("".join(drawn)) <= set(ALPHABET)
