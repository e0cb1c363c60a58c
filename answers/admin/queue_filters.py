"""The queues' filters as the admin shows them; what each leaves is said in `answers/queue/filters.py`."""

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest

from answers.queue.filters import Facet


class FacetFilter(SimpleListFilter):
    """One facet beside the list; `shown_as` makes the class of each."""

    facet: Facet

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return self.facet.choices(request.user)

    def value(self) -> str | None:
        return super().value() or self.facet.default or None

    def choices(self, changelist: Any) -> Any:
        if not self.facet.default:
            yield from super().choices(changelist)
            return
        # Without Django's own "All" in front: the default here is a choice.
        for code, label in self.lookup_choices:
            yield {
                "selected": self.value() == str(code),
                "query_string": changelist.get_query_string({self.parameter_name: code}),
                "display": label,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        code = self.value()
        return self.facet.narrow(queryset, code, request.user) if code else queryset


def shown_as(facet: Facet) -> type[FacetFilter]:
    """The filter class of a facet."""
    given = {"facet": facet, "title": facet.title, "parameter_name": facet.name}
    return type(f"{facet.name.title()}Filter", (FacetFilter,), given)
