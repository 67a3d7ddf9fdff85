"""Words that no code may spell, in the languages of the pages and as people disguise them."""

import re
from functools import lru_cache
from typing import Final

# English, Spanish, Portuguese, French and German, without accents, as codes have none.
_ANYWHERE: Final = """
    ANALSEX ARSCHLOCH ARSEHOLE ASSHOLE BASTARD BITCH BLOWJOB BOLLOCK BOQUETE BORDEL BUCETA BULLSHIT
    CABRON CARALHO CHINGA CLITORI COCKSUCK COJONE CONNARD CONNASSE CUNNILING DICKHEAD DILDO DRECKSAU
    EJACUL ENCULE FAGGOT FELLAT FICKEN FICKER FODASE FODER FOLLAR FOTZE FUCK GILIPOLL GOUINE HITLER
    HURENSOHN JIZZ JODER KACKE KANAKE KIKE MAMADA MARICON MASTURB MERDE MIERDA MISSGEBURT MOTHERF
    MUSCHI NAZI NEGRITO NIGGA NIGGER NIQUE NUTTE ORGASM PAJERO PEDOPHIL PENDEJO PENIS PINCHE PISSE
    POLLAS PORNO PORRA PUNHETA PUSSY PUTAIN PUTE PUTO PUTA RETARD SALOPE SCHEISS SCHLAMPE SCHWANZ
    SCHWUCHTEL SHIT SIEGHEIL SLUT SPERM SUCKMY TITTEN TITTIES TWAT VAGINA VERGA VIADO WANKER WHORE
    WICHSER XOXOTA
"""
_ALONE: Final = """
    ANAL ANUS ARSCH ARSE ASS BOOBS COCK CONO CUL CUM CUNT DICK DYKE FAG FDP FODA FOTZ GOOK HURE KKK
    MAMAR PAKI PEDO PEDE PISS POLLA PORN PRICK PUTAS SEX TIT TITS WANK XXX ZORRA
"""
_INNOCENT: Final = """
    SCUNTHORPE SHIITAKE PENISTONE YOSHITA TAKESHITA MATSUSHITA KINOSHITA MORISHITA IWASHITA
    YAMASHITA HIGASHITA DISPUTE COMPUTE REPUTE DEPUTE IMPUTE AMPUTA REPUTA COMPUTA DEPUTA DISPUTA
    IMPUTA NAZIR NAZIM UNIQUE TECHNIQUE CLINIQUE MINUTTE RETARDANT
"""
ANYWHERE: Final = tuple(_ANYWHERE.split())
"""Words that are seen inside others, too."""
ALONE: Final = frozenset(_ALONE.split())
"""Words that are seen only as a whole part of a code: others hold them innocently."""
INNOCENT: Final = re.compile("|".join(_INNOCENT.split()))
"""Names and words that hold one of them and mean nothing by it."""
DISGUISES: Final = str.maketrans("0134567@$", "OIEASGTAS")
"""Digits that stand for letters."""
_PROFANE: Final = re.compile("|".join(ANYWHERE))
_AS_L: Final = str.maketrans("1I", "LL")
_REPEATED: Final = re.compile(r"(.)\1{2,}")
_MARKS: Final = re.compile(r"[-_]+")
_MARKS_AND_DIGITS: Final = re.compile(r"[-_\d]+")


@lru_cache(1024)
def is_profane(code: str) -> bool:
    """Return whether a normalised code spells a profanity, also by digits, marks and repetition."""
    whole = _MARKS.sub("", code)
    parts = (whole, *_MARKS.split(code), *_MARKS_AND_DIGITS.split(code))
    return (
        _spells(whole)
        or _spells(whole.translate(_AS_L))
        or any(part.translate(DISGUISES) in ALONE for part in parts)
    )


def _spells(text: str) -> bool:
    plain = INNOCENT.sub("", text.translate(DISGUISES))
    return any(_PROFANE.search(each) for each in (plain, _REPEATED.sub(r"\1", plain)))
