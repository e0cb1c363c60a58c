"""The figures of the cockpit as a table for other programs."""

import csv
import io
from datetime import timedelta
from typing import Any

from django.db import transaction

from answers.cockpit import readers
from answers.cockpit.shapes import Cockpit
from answers.cockpit.within import EVERYTHING, Chosen
from audit.events import EventType
from audit.export import harmless
from audit.record import record
from workspaces.models import User, Workspace


@transaction.atomic
def as_csv(
    found: Cockpit,
    reader_of: Workspace | None,
    *,
    by: User,
    about: Workspace | None = None,
    chosen: Chosen = EVERYTHING,
) -> str:
    """One line for each number, no cell of which a spreadsheet runs; that somebody took it stands in the trail.

    `reader_of` is where `by` reads the cockpit, None: for the installation; then `about` may be one workspace of it.
    Raises Hidden or Forbidden.
    """
    readers.require(by, reader_of)
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(["figure", "what", "number"])
    for total in found.totals:
        rows.writerow(["total", harmless(total.code), _plain(total.number)])
    for figure in found.figures:
        for bar in figure.bars:
            rows.writerow([figure.code, harmless(str(bar.label)), _plain(bar.number)])
    place = reader_of or about
    record(EventType.COCKPIT_EXPORTED, on=place, workspace=reader_of, by=by, days=found.days, **_told(chosen))
    return written.getvalue()


def _told(chosen: Chosen) -> dict[str, str]:
    """Which part of the whole was taken, for the trail."""
    template = {} if chosen.template is None else {"template": str(chosen.template)}
    return template | ({} if chosen.endpoint is None else {"endpoint": str(chosen.endpoint)})


def _plain(number: Any) -> Any:
    """A duration in seconds; nothing where there is nothing to tell."""
    if isinstance(number, timedelta):
        return round(number.total_seconds())
    return "" if number is None else number
