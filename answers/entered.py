"""Values as a browser's fields write them."""

from datetime import datetime
from uuid import UUID

from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive, make_aware
from django.utils.translation import gettext as _

from answers.exceptions import DraftError


def id_in(written: str) -> UUID | None:
    try:
        return UUID(written)
    except ValueError:
        return None


def number_in(written: str) -> int:
    return int(written) if written.isascii() and written.isdecimal() and len(written) < 4 else 0


def moment_in(written: str) -> datetime | None:
    """A date and time as a browser's field writes it; None for none. Raises DraftError for what is no such thing."""
    if not written:
        return None
    try:
        found = parse_datetime(written)
    except ValueError:
        found = None
    if found is None:
        raise DraftError(_("This is no date."))
    return make_aware(found) if is_naive(found) else found
