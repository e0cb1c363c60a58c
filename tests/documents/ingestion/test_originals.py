"""Originals as downloads: a name no program can be tricked by, a type, and the rest after a broken connection."""

import json
from email.message import Message

import pytest
from django.urls import reverse

from audit.events import EventType
from audit.models import Event
from documents.models import Version
from tests.documents import factories

pytestmark = pytest.mark.django_db

DATA = bytes(range(65, 91)) * 10


@pytest.fixture
def alphabet(policies, contributor):
    return factories.document(policies, "alphabet.txt", DATA, by=contributor)


@pytest.fixture
def fetch(alphabet, member, client_of):
    kwargs = {"slug": "policies", "pk": alphabet.pk, "version": alphabet.current_version.pk}
    client = client_of(member)

    def get(**headers):
        return client.get(reverse("documents:original", kwargs=kwargs), headers=headers)

    return get


def body(response):
    return b"".join(response.streaming_content)


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ("plan.txt", "plan.txt"),
        ("Годишњи одмор.txt", "Годишњи одмор.txt"),
        ('a"b;c=d.txt', 'a"b;c=d.txt'),
        ("50% off\\..\\x.txt", "x.txt"),
        ("a\r\nSet-Cookie: x=1\t.txt", "aSet-Cookie: x=1.txt"),
        ("invoice\u202efdp.exe\u2066.txt", "invoicefdp.exe.txt"),
        ("a\0b\x7f\x9b.txt", "ab.txt"),
        ("../../.bashrc", "bashrc"),
        ("x" * 990 + ".txt", "x" * 146 + ".txt"),
        ("\u202e", "document"),
    ],
)
def test_whatever_a_file_was_called_it_is_saved_under_one_visible_name(fetch, name, saved):
    Version.objects.update(filename=name.replace("\0", ""))

    header = fetch().headers["Content-Disposition"]

    assert header.isascii()
    assert header.isprintable()
    told = Message()
    told["Content-Disposition"] = header
    assert told.get_content_disposition() == "attachment"
    assert told.get_filename() == saved


@pytest.mark.parametrize(
    ("format", "type"),
    [
        ("pdf", "application/pdf"),
        ("txt", "text/plain"),
        ("html", "application/octet-stream"),
        ("eml", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_a_format_that_a_browser_would_run_has_no_type(fetch, format, type):
    Version.objects.update(format=format)

    response = fetch()

    assert response.headers["Content-Type"] == type
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("asked", "given", "told"),
    [
        ("bytes=0-9", DATA[:10], "bytes 0-9/260"),
        ("bytes=250-", DATA[250:], "bytes 250-259/260"),
        ("bytes=250-9999", DATA[250:], "bytes 250-259/260"),
        ("bytes=-5", DATA[-5:], "bytes 255-259/260"),
        ("bytes=-9999", DATA, "bytes 0-259/260"),
    ],
)
def test_the_rest_of_a_file_can_be_had_after_a_broken_connection(fetch, asked, given, told):
    response = fetch(Range=asked)

    assert (response.status_code, response.headers["Content-Range"]) == (206, told)
    assert body(response) == given
    assert response.headers["Content-Length"] == str(len(given))
    assert "attachment" in response.headers["Content-Disposition"]


@pytest.mark.parametrize("asked", ["bytes=-", "bytes=9-3", "bytes=260-", "bytes=0-1,5-6", "lines=1-2", "bytes=a-b"])
def test_an_unclear_range_gets_the_whole_file(fetch, asked):
    response = fetch(Range=asked)

    assert (response.status_code, body(response)) == (200, DATA)


def test_the_rest_of_other_bytes_is_not_glued_to_what_is_there(fetch):
    etag = fetch().headers["ETag"]

    assert fetch(Range="bytes=5-", **{"If-Range": etag}).status_code == 206
    assert fetch(Range="bytes=5-", **{"If-Range": '"another"'}).status_code == 200


def test_each_download_leaves_an_entry_parts_of_a_file_too(fetch, member):
    fetch()
    fetch(Range="bytes=0-9")

    entries = Event.objects.filter(type=EventType.ORIGINAL_DOWNLOADED)
    assert [entry.actor_id for entry in entries] == [str(member.pk)] * 2
    told = [
        {name: json.loads(entry.body)["details"].get(name) for name in ("first", "last", "size")}
        for entry in entries.order_by("seq")
    ]
    assert told == [{"first": None, "last": None, "size": None}, {"first": 0, "last": 9, "size": len(DATA)}]
