"""A mail is sent once, to whoever may still see what it is about, in their language, and calls nobody."""

import re
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from answers import review
from audit.chain import digest
from documents.access import restriction
from tests.answers.review_scene import a_held_answer
from tests.documents import shelf
from workspaces.models import Channel, Correspondence, Mail, MailState, Notification, NotificationChoice
from workspaces.notifications import mail, notify
from workspaces.notifications.registry import Kind

pytestmark = pytest.mark.django_db


TITLE = "Leave\r\nBcc: everybody@elsewhere.example <b>"


@pytest.fixture
def document(policies):
    made = shelf.put(policies, "leave.md", ["Parental leave lasts twenty weeks."], indexed=False)
    made.title = TITLE
    made.save(update_fields=["title"])
    return made


@pytest.fixture
def reader(contributor, with_address):
    return with_address(contributor, "reader@people.example")


def tell(reader, document, kind=Kind.GAP_ASSIGNED, **more):
    notify(kind, to=[reader], workspace=document.workspace, about=document, **more)
    return Mail.objects.get(person=reader, is_digest=False)


def test_it_arrives_once_with_plain_and_html_text_a_link_and_nothing_that_loads(mailbox, reader, document):
    row = tell(reader, document)

    assert [mail.send_due(), mail.send_due()] == [1, 0]

    (message,) = mailbox.to("reader@people.example")
    row.refresh_from_db()
    assert (row.state, message["Subject"]) == (MailState.SENT, f"Inlock: {Kind.GAP_ASSIGNED.label}")
    assert message["Message-ID"] == f"<{row.pk}@portal.example>"
    plain, html = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))
    link = f"https://portal.example/w/policies/documents/{document.pk}/"
    assert link in plain
    assert link in html
    assert not re.search(r"<img|<link|<script|src=|url\(|@import", html)
    assert set(re.findall(r"https?://[^/\"\s]+", plain + html)) == {"https://portal.example"}
    assert "twenty weeks" not in plain + html


def test_a_title_makes_no_header_no_line_and_no_mark_up(mailbox, reader, document):
    tell(reader, document)

    mail.send_due()

    (message,) = mailbox.to("reader@people.example")
    assert message["Bcc"] is None
    assert not mailbox.to("everybody@elsewhere.example")
    assert "Leave Bcc: everybody@elsewhere.example <b>" in message.get_body(("plain",)).get_content()
    assert "<b>" not in message.get_body(("html",)).get_content()


def test_a_right_that_went_before_the_mail_leaves_sends_nothing(mailbox, reader, document, manager):
    row = tell(reader, document)
    restriction.restrict(document, by=manager)

    assert mail.send_due() == 0

    row.refresh_from_db()
    assert (row.state, mailbox.received) == (MailState.NEEDLESS, [])


def test_without_asking_for_rights_again_the_title_would_be_mailed(mailbox, reader, document, manager, monkeypatch):
    tell(reader, document)
    restriction.restrict(document, by=manager)
    monkeypatch.setattr("workspaces.access.visible", lambda user, model: model._default_manager.all())

    mail.send_due()

    assert "Bcc: everybody" in mailbox.received[0][1].get_body(("plain",)).get_content()


@pytest.mark.parametrize("closed", ["account", "read", "unwanted"])
def test_nothing_is_sent_to_a_closed_account_of_what_was_read_or_is_not_wanted(mailbox, reader, document, closed):
    if closed == "unwanted":
        NotificationChoice.objects.create(person=reader, kind=Kind.SOURCE_FAILED, channel=Channel.OFF)
        assert notify(Kind.SOURCE_FAILED, to=[reader], about=document) == 0
    else:
        tell(reader, document)
    if closed == "account":
        reader.is_active = False
        reader.save(update_fields=["is_active"])
    if closed == "read":
        Notification.objects.update(read_at=timezone.now())

    assert mail.send_due() == 0
    assert mailbox.received == []


def test_what_may_not_be_off_stays_in_the_portal(reader, document):
    NotificationChoice.objects.create(person=reader, kind=Kind.GAP_ASSIGNED, channel=Channel.OFF)

    assert notify(Kind.GAP_ASSIGNED, to=[reader], about=document) == 1
    assert Notification.objects.get().mail is None


@pytest.mark.parametrize(
    ("address", "state", "tried_again"),
    [
        ("refused@people.example", MailState.FAILED, False),
        ("vanish@people.example", MailState.UNKNOWN, False),
        ("later@people.example", MailState.WAITING, True),
        ("reader@people.example\nBcc: all@people.example", MailState.FAILED, False),
    ],
)
def test_what_the_server_says_decides_whether_it_is_tried_again(
    mailbox, reader, with_address, document, address, state, tried_again
):
    with_address(reader, address)
    row = tell(reader, document)

    assert mail.send_due() == 0

    row.refresh_from_db()
    assert row.state == state
    assert address not in row.failure
    assert (row.handed_at is None and row.errors == 1) is tried_again
    with_address(reader, "reader@people.example")
    assert mail.send_due() == 0, "it rests before it is tried again"
    Mail.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert mail.send_due() == int(tried_again)


def test_a_server_that_is_down_costs_one_try_and_loses_nothing(mailbox, reader, document, settings):
    row = tell(reader, document)
    settings.EMAIL_PORT = 9

    assert mail.send_due() == 0

    row.refresh_from_db()
    assert (row.state, row.handed_at, row.errors) == (MailState.WAITING, None, 1)
    assert "127.0.0.1" not in row.failure


@pytest.mark.parametrize(("handed", "sent", "state"), [(False, 1, MailState.SENT), (True, 0, MailState.UNKNOWN)])
def test_after_a_worker_died_a_mail_is_sent_again_only_if_the_server_never_had_it(
    mailbox, reader, document, handed, sent, state
):
    row = tell(reader, document)
    long_ago = timezone.now() - timedelta(hours=1)
    Mail.objects.update(attempt=1, lease_until=long_ago, handed_at=long_ago if handed else None)

    assert mail.send_due() == sent

    row.refresh_from_db()
    assert (row.state, len(mailbox.received)) == (state, sent)


def test_the_digest_is_one_mail_a_morning_however_often_it_is_asked_for(mailbox, reader, document):
    Correspondence.objects.create(person=reader, digest_hour=6)
    for _again in range(3):
        notify(Kind.DOCUMENT_REVIEW, to=[reader], workspace=document.workspace, about=document)
    row = Mail.objects.get()
    assert (row.is_digest, timezone.localtime(row.due_at).hour, row.notifications.count()) == (True, 6, 3)
    assert mail.send_due() == 0, "it is not morning"

    Mail.objects.update(due_at=timezone.now() - timedelta(seconds=1))

    assert [mail.send_due(), mail.send_due()] == [1, 0]
    (message,) = mailbox.to("reader@people.example")
    assert message["Subject"] == "Inlock: 3 things to look at"


@pytest.mark.parametrize(
    ("chosen", "used", "word"), [("", "", "Hello"), ("", "sr", "Здраво"), ("sr-latn", "sr", "Zdravo")]
)
def test_a_mail_speaks_the_language_its_reader_chose_or_used_last(mailbox, reader, document, chosen, used, word):
    Correspondence.objects.create(person=reader, language=chosen, last_language=used)
    tell(reader, document)

    mail.send_due()

    assert word in mailbox.received[0][1].get_body(("plain",)).get_content()


def test_an_act_that_is_rolled_back_tells_nobody(reader, document):
    with suppress(RuntimeError), transaction.atomic():
        assert notify(Kind.GAP_ASSIGNED, to=[reader], about=document) == 1
        raise RuntimeError

    assert not Notification.objects.exists()


def test_without_a_mail_server_there_are_notices_and_no_mails(reader, document):
    notify(Kind.GAP_ASSIGNED, to=[reader, reader], about=document, by=None)

    assert (Notification.objects.count(), Mail.objects.count(), mail.send_due()) == (1, 0, 0)


def test_a_daily_mail_leaves_out_what_was_done_meanwhile(
    mailbox, reviewer, second_reviewer, with_address, legal, member
):
    with_address(second_reviewer, "reader@people.example")
    draft = a_held_answer(legal, member)
    notify(Kind.DRAFT_WAITING, to=[second_reviewer], workspace=legal, about=draft)
    review.approve(draft, by=reviewer, seen_sha256=digest(draft.text))
    Mail.objects.update(due_at=timezone.now() - timedelta(seconds=1))

    assert mail.send_due() == 0
    assert mailbox.to("reader@people.example") == []
