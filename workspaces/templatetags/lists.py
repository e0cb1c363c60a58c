"""The list of an admin page, of which `workspaces/admin_rows.py` draws the rows, and what every row of a list has."""

from functools import cache
from typing import Any

from django import template
from django.contrib.admin.views.main import ChangeList
from django.template.loader import render_to_string
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString
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


@register.simple_tag
def badge(label: Any, tone: str) -> SafeString:
    """`_parts/badge.html` for the rows of a list: what stands around the label is rendered once for each tone."""
    before, after = _around_badge(tone)
    return before + conditional_escape(label) + after


@cache
def _around_badge(tone: str) -> tuple[SafeString, SafeString]:
    before, _label, after = render_to_string("_parts/badge.html", {"label": "\x00", "tone": tone}).partition("\x00")
    return SafeString(before), SafeString(after)
