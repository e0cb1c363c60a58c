"""What a request of the review carries: the filters of the list it came from."""

from urllib.parse import parse_qsl, urlencode

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse

from answers.models import Draft
from answers.queue import saved_views

#: The parameter in which the admin carries the list's own from page to page.
_FILTERS = "_changelist_filters"


def queue(model: type[Model] = Draft) -> str:
    return reverse(f"admin:answers_{model._meta.model_name}_changelist")


def queue_address(request: HttpRequest, model: type[Model] = Draft) -> str:
    """The list the person came from."""
    filters = list_filters(request, model)
    return f"{queue(model)}?{filters}" if filters else queue(model)


def list_filters(request: HttpRequest, model: type[Model] = Draft) -> str:
    """The filters of the list the person came from, as a part of an address; without the search."""
    if _FILTERS not in request.GET:
        return ""
    return saved_views.query(saved_views.kept(dict(parse_qsl(request.GET[_FILTERS])), model), model)


def preserved(request: HttpRequest, model: type[Model] = Draft) -> str:
    """What each link and form of the page has behind its address, so that the way back leads to the same list."""
    filters = list_filters(request, model)
    return f"?{urlencode({_FILTERS: filters})}" if filters else ""
