"""The list of an admin page; how its rows come about is told in `workspaces/admin_rows.py`."""

from typing import Any

from django import template
from django.contrib.admin.views.main import ChangeList
from unfold.templatetags.unfold_list import result_headers

from workspaces import admin_rows

register = template.Library()


@register.inclusion_tag("admin/_list.html", takes_context=True)
def list_of_rows(context: dict[str, Any], cl: ChangeList) -> dict[str, Any]:
    """The headings of the list and its rows, or what stands there when it has none."""
    headings = list(result_headers(cl))
    return {
        "cl": cl,
        "result_headers": headings,
        "num_sorted_fields": sum(heading["sortable"] and heading["sorted"] for heading in headings),
        "rows": list(admin_rows.rows(cl, [heading["text"] for heading in headings])),
        "has_add_permission": cl.model_admin.has_add_permission(context["request"]),
    }
