"""Send the mails that are due. The only place that speaks to a mail server.

Each row is held by a lease while it is worked on, and marked right before the server is given the mail: what breaks
before that is tried again, what breaks after is not sent a second time. Rights are asked again as it is written.
"""

import logging
import smtplib
from datetime import timedelta
from email.utils import parseaddr
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import ngettext

from workspaces.models import Correspondence, Mail, MailState
from workspaces.notifications.telling import Told, tell

logger = logging.getLogger(__name__)

_AT_ONCE = 100
_LEASE = timedelta(minutes=5)
#: Between two tries, doubled each time; after two days a mail has nothing to tell that the portal does not.
_PAUSE, _LONGEST_PAUSE, _GIVE_UP = timedelta(seconds=30), timedelta(hours=1), timedelta(days=2)
#: Notices in one mail; of more the number is told.
_MOST = 50


def send_due() -> int:
    """Send what is due now, and return how many mails the server took. Safe to run twice at once."""
    if not settings.MAIL_IS_ON:
        return 0
    _close_broken()
    due = Mail.objects.filter(_free(), due_at__lte=Now()).order_by("due_at").values_list("pk", flat=True)
    ids, sent = list(due[:_AT_ONCE]), 0
    if not ids:
        return 0
    connection = get_connection()
    try:
        for pk in ids:
            mail = _take(pk)
            if mail is None:
                continue
            if not _open(connection, mail):
                break
            sent += _send(mail, connection)
    finally:
        _hang_up(connection)
    return sent


def language_of(mail: Mail) -> str:
    """The language the reader chose, or used last; English where nothing is known."""
    row = Correspondence.objects.filter(person=mail.person_id).first()
    wanted = (row.language or row.last_language) if row else ""
    return wanted if wanted in dict(settings.LANGUAGES) else "en"


def compose(mail: Mail) -> EmailMultiAlternatives | None:
    """The mail as it may be read now; None where nothing is left to tell. No text of a document, question or answer."""
    person = mail.person
    if not person.is_active or not person.email:
        return None
    notices = mail.notifications.filter(read_at=None).select_related("by").order_by("created_at")
    told = [one for one in tell(notices, to=person) if one.is_open and not one.is_over]
    if not told:
        return None
    with translation.override(language_of(mail)):
        context = {
            "lines": [_line(one) for one in told[:_MOST]],
            "more": max(0, len(told) - _MOST),
            "name": _one_line(person.name),
            "is_digest": mail.is_digest,
            "all": _url(reverse("workspaces:notifications")),
            "choices": _url(reverse("workspaces:notification_choices")),
            "language": translation.get_language(),
        }
        subject = told[0].sentence if len(told) == 1 else _many(len(told))
        message = EmailMultiAlternatives(
            subject=_one_line(f"Inlock: {subject}"),
            body=render_to_string("workspaces/mail/notices.txt", context),
            from_email=settings.DEFAULT_FROM_EMAIL,
            to=[person.email],
            headers={
                "Message-ID": f"<{mail.pk}@{_domain()}>",
                "Auto-Submitted": "auto-generated",
                "X-Auto-Response-Suppress": "All",
            },
        )
        message.attach_alternative(render_to_string("workspaces/mail/notices.html", context), "text/html")
    return message


def unreachable() -> str:
    """Why the mail server cannot be spoken to now, for the operator; "" where it can."""
    connection = get_connection(timeout=5)
    try:
        connection.open()
    except (OSError, smtplib.SMTPException) as error:
        return _said(error)
    finally:
        _hang_up(connection)
    return ""


# --- Inside -------------------------------------------------------------------------------------------------


def _free() -> Q:
    """Waiting, and neither held by a living worker nor resting after an error."""
    return Q(state=MailState.WAITING, handed_at=None) & (Q(lease_until=None) | Q(lease_until__lt=Now()))


def _take(pk: object) -> Mail | None:
    taken = Mail.objects.filter(_free(), pk=pk).update(attempt=F("attempt") + 1, lease_until=Now() + _LEASE)
    return Mail.objects.select_related("person").get(pk=pk) if taken else None


def _open(connection: BaseEmailBackend, mail: Mail) -> bool:
    """Whether the server listens; where it does not, this mail rests and the others wait with it."""
    try:
        connection.open()
    except (OSError, smtplib.SMTPException) as error:
        _rest(mail, error)
        return False
    return True


def _send(mail: Mail, connection: BaseEmailBackend) -> bool:
    message = compose(mail)
    if message is None:
        _end(mail, MailState.NEEDLESS)
        return False
    if not _ours(mail).update(handed_at=Now()):
        return False
    message.connection = connection
    try:
        message.send()
    except (smtplib.SMTPServerDisconnected, TimeoutError) as error:
        # The server may have taken it: once is worth more than surely.
        _end(mail, MailState.UNKNOWN, error)
        _hang_up(connection)
        return False
    except (smtplib.SMTPException, ValueError) as error:
        if _is_for_good(error):
            _end(mail, MailState.FAILED, error)
        else:
            _ours(mail).update(handed_at=None)
            _rest(mail, error)
        return False
    except OSError as error:
        _end(mail, MailState.UNKNOWN, error)
        _hang_up(connection)
        return False
    return _end(mail, MailState.SENT)


def _is_for_good(error: Exception) -> bool:
    """Whether the server, or the address itself, says that it never works."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _said in error.recipients.values())
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code >= 500
    return isinstance(error, (ValueError, smtplib.SMTPNotSupportedError))


def _ours(mail: Mail) -> QuerySet[Mail]:
    return Mail.objects.filter(pk=mail.pk, attempt=mail.attempt, state=MailState.WAITING)


def _rest(mail: Mail, error: Exception) -> None:
    """Try again later, longer each time, and not for ever."""
    if timezone.now() - mail.due_at > _GIVE_UP:
        _end(mail, MailState.FAILED, error)
        return
    pause = min(_PAUSE * 2 ** min(mail.errors, 12), _LONGEST_PAUSE)
    _ours(mail).update(lease_until=Now() + pause, errors=F("errors") + 1, failure=_said(error))
    logger.warning("Mail %s waits, try %s: %s", mail.pk, mail.attempt, type(error).__name__)


def _end(mail: Mail, state: MailState, error: Exception | None = None) -> bool:
    if error is not None:
        logger.warning("Mail %s ended as %s: %s", mail.pk, state.value, type(error).__name__)
    said = _said(error) if error else ""
    return bool(_ours(mail).update(state=state, ended_at=Now(), lease_until=None, failure=said))


def _said(error: Exception) -> str:
    """The kind of error and the server's code: what it writes may repeat the address."""
    code = getattr(error, "smtp_code", "")
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = ", ".join(str(code) for code, _said in error.recipients.values())
    return f"{type(error).__name__} {code}".strip()[:200]


def _close_broken() -> None:
    """Mails whose worker died while the server had them: nobody knows, and nobody sends them again."""
    broken = Mail.objects.filter(state=MailState.WAITING, handed_at__isnull=False, lease_until__lt=Now())
    broken.update(state=MailState.UNKNOWN, ended_at=Now(), lease_until=None)


def _hang_up(connection: BaseEmailBackend) -> None:
    connection.close()


def _many(count: int) -> str:
    return ngettext("%(count)d thing to look at", "%(count)d things to look at", count) % {"count": count}


def _line(told: Told) -> dict[str, str]:
    return {
        "sentence": told.sentence,
        "name": _one_line(told.name) if told.name_in_mail else "",
        "workspace": _one_line(told.workspace),
        "url": _url(told.address) if told.address else "",
    }


def _url(path: str) -> str:
    return settings.PORTAL_URL + path


def _one_line(text: str) -> str:
    """Without line breaks and control characters, which end a header or forge a line."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def _domain() -> str:
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return address.rpartition("@")[2] or urlsplit(settings.PORTAL_URL).hostname or "localhost"
