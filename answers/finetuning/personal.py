"""What looks like data of a person in a text: addresses, phones, accounts, numbers of identity and of cards.

Numbers with a check digit count only where it is right. Names, postal addresses, dates of birth, and numbers written
out or broken up are not found: a person looks the examples through.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

LABELS = {
    "email": _("e-mail address"),
    "phone": _("phone number"),
    "iban": _("bank account (IBAN)"),
    "jmbg": _("Serbian personal number (JMBG)"),
    "card": _("payment card number"),
}


@dataclass(frozen=True, slots=True)
class Found:
    """One place: `text[start:end]` is of `kind`."""

    kind: str
    start: int
    end: int


def find(text: str) -> list[Found]:
    """What looks like data of a person in `text`, in its order; each place once, under the most exact kind."""
    found: list[Found] = []
    for kind, pattern, holds in _KINDS:
        for match in pattern.finditer(text):
            start, end = match.span()
            if holds(match.group()) and not any(one.start < end and start < one.end for one in found):
                found.append(Found(kind, start, end))
    return sorted(found, key=lambda one: one.start)


def kinds_in(*texts: str) -> list[str]:
    """The kinds that stand in any of `texts`, sorted."""
    return sorted({one.kind for text in texts for one in find(text)})


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdecimal())


def _is_iban(text: str) -> bool:
    compact = re.sub(r"\s", "", text).upper()
    if not 15 <= len(compact) <= 34:
        return False
    return int("".join(str(int(char, 36)) for char in compact[4:] + compact[:4])) % 97 == 1


def _is_jmbg(text: str) -> bool:
    if not (1 <= int(text[:2]) <= 31 and 1 <= int(text[2:4]) <= 12):
        return False
    digits = [int(char) for char in text]
    total = sum((7 - i) * (digits[i] + digits[i + 6]) for i in range(6))
    check = 11 - total % 11
    return digits[12] == (0 if check > 9 else check)


def _is_card(text: str) -> bool:
    digits = _digits(text)
    if not 13 <= len(digits) <= 19 or digits[0] not in "3456":
        return False
    doubled = [int(char) * (2 if at % 2 else 1) for at, char in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def _is_phone(text: str) -> bool:
    digits = _digits(text)
    if not 8 <= len(digits) <= 15:
        return False
    # 2026-11-23 and 12.04.2026 are days, and 1 000 000 is an amount.
    return re.fullmatch(r"\d{1,4}[-./ ]\d{1,2}[-./ ]\d{1,4}|\d{1,3}( 000)+", text.strip()) is None


_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_IBAN = re.compile(r"\b[A-Za-z]{2}\d{2}(?:[ \u00a0]?[A-Za-z0-9]{4}){2,7}(?:[ \u00a0]?[A-Za-z0-9]{1,3})?\b")
_JMBG = re.compile(r"(?<!\d)[0-9]{13}(?!\d)")
_CARD = re.compile(r"(?<![\d-])\d(?:[ -]?\d){12,18}(?![\d-])")
# International, or national with its leading nought: other long numbers are amounts, articles and orders.
_PHONE = re.compile(
    r"(?<![\w/.,-])(?:\+|00)[1-9]\d{0,2}[\d ()/.-]{6,18}\d"
    r"|(?<![\w/.,-])\(?0[1-9]\d{0,3}\)?[ /-][\d /-]{4,12}\d(?!\w)"
)
#: The most exact first.
_KINDS: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = (
    ("email", _EMAIL, lambda text: True),
    ("iban", _IBAN, _is_iban),
    ("jmbg", _JMBG, _is_jmbg),
    ("card", _CARD, _is_card),
    ("phone", _PHONE, _is_phone),
)
