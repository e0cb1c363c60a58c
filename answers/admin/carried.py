"""What a request of the review carries: the filters of the list it came from, and values as browsers write them."""

from datetime import datetime
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive, make_aware
from django.utils.translation import gettext as _

from answers import saved_views
from answers.exceptions import DraftError

#: The parameter in which the admin carries the list's own from page to page.
_FILTERS = "_changelist_filters"


def queue() -> str:
    return reverse("admin:answers_draft_changelist")


def queue_address(request: HttpRequest) -> str:
    """The list the person came from."""
    filters = list_filters(request)
    return f"{queue()}?{filters}" if filters else queue()


def list_filters(request: HttpRequest) -> str:
    """The filters of the list the person came from, as a part of an address; without the search."""
    if _FILTERS not in request.GET:
        return ""
    return saved_views.query(saved_views.kept(dict(parse_qsl(request.GET[_FILTERS]))))


def preserved(request: HttpRequest) -> str:
    """What each link and form of the page has behind its address, so that the way back leads to the same list."""
    filters = list_filters(request)
    return f"?{urlencode({_FILTERS: filters})}" if filters else ""


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
