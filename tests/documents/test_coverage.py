"""The coverage page: what is counted, for whom, and near-duplicates among what the viewer may open."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import override

from audit.events import EventType
from audit.models import Event
from documents import library
from documents.coverage import alike
from documents.coverage.counts import as_csv, coverage, near_duplicates
from documents.folders import keeping as folders
from documents.forms import FilterForm
from documents.listing import matching
from documents.models import Document, DocumentBar, Sketch
from documents.states import VersionState
from tests.documents import factories
from workspaces import members
from workspaces.exceptions import Forbidden, Hidden
from workspaces.roles import Role

pytestmark = pytest.mark.django_db

WORDS = "The employee asks the manager in writing at least two weeks before the first day of the leave they want "
LONG = "# Leave\n\n" + " ".join(f"{WORDS}and paragraph {number} of the rules applies." for number in range(40))
OTHER = "# Travel\n\n" + " ".join(
    f"Trips of kind {number} are booked by the office and paid later." for number in range(40)
)


def bars(found, code):
    figure = next(figure for figure in found.figures if figure.code == code)
    return {bar.label: bar.count for bar in figure.bars if bar.count}


@pytest.fixture
def shelf(policies, manager, contributor):
    today = timezone.localdate()
    folder = folders.folder_for(policies, "hr/x.md")
    leave = factories.document(policies, "leave.md", LONG, by=contributor, title="Leave", owner=contributor)
    again = factories.document(policies, "again.md", f"{LONG}\n\nSigned.", by=contributor, title="Again", folder=folder)
    other = factories.document(
        policies, "trip.csv", "a,b\n1,2\n", by=contributor, title="Trip", valid_until=today - timedelta(1)
    )
    factories.add_version(
        other, "x", by=contributor, state=VersionState.FAILED, failure_code="locked", failure_sentence="It is locked."
    )
    return leave, again, other


def test_documents_are_counted_by_state_format_level_folder_age_and_reason(policies, manager, shelf):
    found = coverage(policies, by=manager)

    assert (found.total, found.closed) == (3, 0)
    assert found.passages == sum(one.current_version.passage_count for one in shelf)
    assert bars(found, "state") == {"Ready": 2, "Failed": 1}
    assert bars(found, "level") == {"Internal": 3}
    assert bars(found, "format") == {"MD": 2, "CSV": 1}
    assert bars(found, "folder") == {"hr": 1, "No folder": 2}
    assert bars(found, "failure") == {"It is locked.": 1}
    assert bars(found, "age") == {"Up to 30 days": 3}
    assert sum(bars(found, "added").values()) == 3
    assert {bar.label: bar.count for bar in found.shares}["Past their last valid day"] == 1
    assert {bar.label: bar.count for bar in found.shares}["Without an owner who may keep them current"] == 2


def test_what_is_governed_is_counted_and_what_a_never_rule_hides_is_not(policies, manager, shelf):
    leave, again, _other = shelf
    Document.objects.filter(pk=leave.pk).update(restricted=True)
    DocumentBar.objects.create(document=again, user=manager, reason="Too close.")

    found = coverage(policies, by=manager)

    assert (found.total, found.closed) == (2, 1)
    assert "hr" not in bars(found, "folder")


def test_near_duplicates_are_found_among_what_is_open_to_the_viewer_alone(policies, manager, shelf):
    leave, again, _other = shelf
    assert alike.sketch_missing() == 3
    assert alike.sketch_missing() == 0

    (pair,) = near_duplicates(policies, by=manager).pairs
    assert {pair.one, pair.other} == {leave, again}
    assert pair.percent >= 80

    Document.objects.filter(pk=leave.pk).update(restricted=True)
    assert near_duplicates(policies, by=manager).pairs == []


def test_the_page_says_what_is_not_compared_yet_and_that_more_copies_are_left_out(
    policies, manager, shelf, client_of, monkeypatch
):
    client, address = client_of(manager), "/w/policies/documents/coverage/alike/"

    before = client.get(address).content.decode()
    alike.sketch_missing()
    whole = client.get(address).content.decode()
    monkeypatch.setattr(alike, "_CROWD", 1)
    crowded = client.get(address).content.decode()

    assert "3 documents are not compared yet" in before
    assert "No two documents" not in before
    assert "not compared yet" not in whole
    assert "There are more than are shown here" not in whole
    assert "There are more than are shown here" in crowded
    assert alike.pairs(Document.objects.filter(workspace=policies), most=0).is_cut


def test_each_link_shows_as_many_documents_as_it_counts(policies, manager, contributor, shelf):
    shelf[0].versions.update(format="")
    DocumentBar.objects.all().delete()
    members.remove_member(policies, contributor, Role.CONTRIBUTOR, by=manager)

    found = coverage(policies, by=manager)

    linked = [bar for figure in found.figures for bar in figure.bars if bar.query]
    for bar in [*linked, *(bar for bar in found.shares if bar.query)]:
        asked = FilterForm(QueryDict(bar.query)).asked()
        assert asked.is_narrowed, bar
        assert matching(manager, policies, asked).count() == bar.count, bar
    assert {bar.label: bar.query for figure in found.figures for bar in figure.bars}["–"] == ""
    assert {bar.query: bar.count for bar in found.shares}["owner=unable"] == 3


def test_the_reasons_are_counted_in_the_database(policies, manager, contributor, shelf):
    with CaptureQueriesContext(connection) as queries:
        assert bars(coverage(policies, by=manager), "failure") == {"It is locked.": 1}

    assert all("failure_sentence" not in query["sql"] or "GROUP BY" in query["sql"] for query in queries)


def test_a_deleted_or_replaced_version_loses_its_sketch(policies, manager, contributor, shelf):
    leave, again, _other = shelf
    alike.sketch_missing()
    library.delete(leave, by=manager)
    factories.add_version(again, OTHER, by=contributor)

    alike.sketch_missing()

    kept = set(Sketch.objects.values_list("version__document", flat=True))
    assert kept == {again.pk, shelf[2].pk}
    assert near_duplicates(policies, by=manager).pairs == []


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9, 1.0])
def test_the_share_in_common_is_estimated(share):
    said = [f"w{number}" for number in range(2000)]
    cut = int(2000 * share)
    other = said[:cut] + [f"v{number}" for number in range(2000 - cut)]

    estimate = float((alike.sketch(said) == alike.sketch(other)).mean())

    assert abs(estimate - cut / (4000 - cut)) < 0.2


def test_too_few_words_are_compared_with_nothing():
    assert len(alike.sketch(["one"] * 5)) == 0
    assert alike.bands_of(alike.sketch([])) == []


@pytest.mark.parametrize(("who", "refusal"), [("member", Forbidden), ("contributor", Forbidden), ("stranger", Hidden)])
def test_only_who_manages_documents_sees_it(who, refusal, request, policies):
    by = request.getfixturevalue(who)
    for ask in (coverage, near_duplicates, as_csv):
        with pytest.raises(refusal):
            ask(policies, by=by)


def test_the_table_is_safe_in_a_spreadsheet_and_its_download_is_told(policies, manager, contributor, shelf, client_of):
    factories.document(policies, "=1.md", by=contributor, folder=folders.folder_for(policies, "=cmd/x.md"))

    response = client_of(manager).get("/w/policies/documents/coverage/table.csv?days=90")

    rows = list(csv.reader(io.StringIO(response.content.decode())))
    assert ["folder", "'=cmd", "1"] in rows
    assert "attachment" in response["Content-Disposition"]
    assert Event.objects.filter(type=EventType.COVERAGE_EXPORTED).count() == 1


def test_the_pages_show_figures_with_ways_to_the_list(policies, manager, shelf, client_of):
    alike.sketch_missing()
    client = client_of(manager)

    page = client.get("/w/policies/documents/coverage/?days=90").content.decode()
    pairs = client.get("/w/policies/documents/coverage/alike/").content.decode()

    assert '<a href="/w/policies/documents/?reason=locked"><bdi>It is locked.</bdi></a>' in page
    assert '<rect width="100" height="1"/>' in page
    assert "Leave" in pairs
    assert "Again" in pairs
    assert "Trip" not in pairs


def test_weeks_are_told_as_dates_are_in_the_readers_language_and_plainly_in_the_table(
    policies, manager, shelf, client_of
):
    week = next(iter(bars(coverage(policies, by=manager), "added")))
    client = client_of(manager)

    told = set()
    for language in ("en", "sr"):
        page = client.get("/w/policies/documents/coverage/", headers={"accept-language": language}).text
        with override(language):
            told.add(date_format(week, "SHORT_DATE_FORMAT"))
            assert f'<time datetime="{week.isoformat()}">{date_format(week, "SHORT_DATE_FORMAT")}</time>' in page
    assert len(told - {week.isoformat()}) == 2
    table = client.get("/w/policies/documents/coverage/table.csv?days=30").text
    assert f"added,{week.isoformat()},3" in table


@pytest.mark.parametrize("page", ["embedding", "retention"])
def test_a_page_whose_way_up_is_the_settings_lights_up_the_settings(policies, manager, client_of, page):
    shown = client_of(manager).get(f"/w/policies/documents/{page}/").text

    assert 'href="/w/policies/settings/" aria-current="page"' in shown
    assert 'href="/w/policies/documents/" aria-current="page"' not in shown
