"""The rows of a list in the admin, as the theme draws them, at a fraction of its work.

The theme computes every heading anew for every row, resolves the list's address as often and renders a template for
each label, which was most of what a page of fifty rows took. Here whatever is the same in a column is made once. Lists
of ours are only read: there are no forms, pop-ups, acts on rows or sections in them.
"""

import datetime
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import lookup_field
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.template.loader import render_to_string
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from unfold.templatetags.unfold_list import LINK_CLASSES, ROW_CLASSES
from unfold.utils import display_for_field, display_for_value

_DATES = (datetime.date, datetime.time)
_DATED_FIELDS = (models.DateField, models.TimeField, models.ForeignKey)
#: Stands for the text while the theme's template of a label is rendered.
_TEXT = "\x00"


def rows(changelist: ChangeList, headings: list[Any]) -> Iterator[SafeString]:
    """The cells of each row of the page, in the order of the list; `headings` are the texts above them."""
    columns = [_Column(changelist, *each) for each in zip(changelist.list_display, headings, strict=True)]
    filters = None
    for row in changelist.result_list:
        address = changelist.url_for_result(row)
        if filters is None:
            filters = _filters_behind(changelist, address)
        yield SafeString("".join(column.cell(row, address + filters) for column in columns))


def _filters_behind(changelist: ChangeList, address: str) -> str:
    """What brings the reader of a row back to this list: the same behind the address of every row."""
    context: dict[str, Any] = {"preserved_filters": changelist.preserved_filters, "opts": changelist.opts}
    return add_preserved_filters(context, address).removeprefix(address)


class _Column:
    """One column of a list. `cell` is all that is done for each row."""

    def __init__(self, changelist: ChangeList, name: Any, heading: Any) -> None:
        self._name = name
        self._admin = changelist.model_admin
        self._empty = self._admin.get_empty_value_display()
        linked = changelist.list_display_links or ()
        self._is_link = name in linked
        opens_row = name == next((one for one in changelist.list_display if one in linked), None)
        tag = "th" if opens_row else "td"
        classes = " ".join([f"field-{name}", *ROW_CLASSES])
        self._opening = format_html('<{} class="{}" data-label="{}">', tag, classes, heading)
        self._opening_of_date = format_html('<{} class="{} nowrap" data-label="{}">', tag, classes, heading)
        self._closing = format_html("</{}>", tag)

    def cell(self, row: models.Model, address: str) -> SafeString:
        shown, is_date = self._shown(row)
        if self._is_link:
            shown = format_html('<a href="{}" class="{}">{}</a>', address, " ".join(LINK_CLASSES), shown)
        return (self._opening_of_date if is_date else self._opening) + conditional_escape(shown) + self._closing

    def _shown(self, row: models.Model) -> tuple[Any, bool]:
        """What stands in the cell, and whether it is a date or a name that is not to be broken over lines."""
        try:
            field, attribute, value = lookup_field(self._name, row, self._admin)
        except ObjectDoesNotExist:
            return self._empty, False
        empty = getattr(attribute, "empty_value_display", self._empty)
        if field is not None and not field.auto_created:
            is_dated = isinstance(field, _DATED_FIELDS)
            if isinstance(field.remote_field, models.ManyToOneRel):
                thing = getattr(row, field.name)
                return empty if thing is None else thing, is_dated
            if isinstance(field, models.BooleanField):
                return boolean(value), is_dated
            return display_for_field(value, field, empty), is_dated
        if kinds := getattr(attribute, "label", False):
            return label(value, kinds), isinstance(value, _DATES)
        if getattr(attribute, "boolean", False):
            return boolean(value), False
        return display_for_value(value, empty), isinstance(value, _DATES)


def label(value: Any, kinds: Any) -> SafeString:
    """A value as the theme shows it in a colour: (code, text) or a text, with `kinds` saying which code is of which."""
    kind = None
    if isinstance(kinds, dict):
        if isinstance(value, tuple):
            code, text = value
            kind, value = (kinds[code], text) if code in kinds else (None, code)
        elif value in kinds:
            kind = kinds[value]
    if not value:
        return SafeString("-")
    before, after = _around_label(kind)
    return before + conditional_escape(value) + after


@cache
def _around_label(kind: str | None) -> tuple[SafeString, SafeString]:
    given = {"label": _TEXT, "label_type": kind, "multiple": False}
    before, _text, after = _rendered("unfold/helpers/display_label.html", given).partition(_TEXT)
    return SafeString(before.rstrip()), SafeString(after.lstrip())


def boolean(value: Any) -> SafeString:
    """The theme's sign for yes, no and unknown."""
    return _sign(None if value in ("", None) else bool(value), get_language())


@cache
def _sign(value: bool | None, _language: str | None) -> SafeString:
    return SafeString(_rendered("unfold/helpers/boolean.html", {"value": value}))


def _rendered(template: str, given: dict[str, Any]) -> str:
    return re.sub(r"\s+", " ", render_to_string(template, given)).strip()
