"""What people are told of: the notices in the portal, the mails that carry them, and how each person wants them."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from workspaces.models.workspace import Workspace


class Channel(models.TextChoices):
    """How a person is told of one kind of thing. All but the last show it in the portal too."""

    NOW = "now", _("By e-mail at once")
    DIGEST = "digest", _("In one e-mail a day")
    PORTAL = "portal", _("In the portal alone")
    OFF = "off", _("Not at all")


class MailState(models.TextChoices):
    """What became of a mail."""

    WAITING = "waiting", _("Waiting")
    SENT = "sent", _("Sent")
    #: Everything in it was read, or closed to the person, before it was due.
    NEEDLESS = "needless", _("Nothing left to tell")
    FAILED = "failed", _("Not delivered")
    #: The connection or the worker broke while it was handed over: it is not sent a second time.
    UNKNOWN = "unknown", _("Handed over, outcome unknown")


class Mail(models.Model):
    """One mail to one person; the row is the job. It carries no text of its own: that is written when it is sent."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    is_digest = models.BooleanField(default=False)
    #: Not before this. Of digests a person has one for each moment, whoever asks for it.
    due_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=MailState.choices, default=MailState.WAITING)
    attempt = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    #: Set right before the server is given the mail: from then on nobody sends it again.
    handed_at = models.DateTimeField(null=True, blank=True)
    errors = models.PositiveIntegerField(default=0)
    ended_at = models.DateTimeField(null=True, blank=True)
    #: What the mail server said, without the address.
    failure = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("mail")
        ordering = ["due_at"]
        constraints = [
            models.UniqueConstraint(fields=["person", "due_at"], condition=Q(is_digest=True), name="mail_digest_once"),
            models.CheckConstraint(
                condition=Q(state=MailState.WAITING, ended_at=None)
                | ~Q(state=MailState.WAITING) & Q(ended_at__isnull=False),
                name="mail_ended_together",
            ),
        ]
        indexes = [models.Index(F("due_at"), name="mail_waiting", condition=Q(state=MailState.WAITING))]

    def __str__(self) -> str:
        return f"Mail {self.id}"


class Notification(models.Model):
    """Something one person was told of. It names the thing by id: what may be said of it is decided when shown."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications")
    #: A code of `workspaces.notifications.registry`.
    kind = models.CharField(max_length=40)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    #: The thing's model, as `answers.draft`, and its id.
    about_type = models.CharField(max_length=60, blank=True)
    about_id = models.UUIDField(null=True, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    #: Codes, ids and dates; never text of a document, a question or an answer.
    facts = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, blank=True)
    mail = models.ForeignKey(Mail, on_delete=models.SET_NULL, null=True, blank=True, related_name="notifications")

    class Meta:
        verbose_name = _("notification")
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["person", "-created_at"]),
            models.Index(fields=["person"], name="notification_unread", condition=Q(read_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.person_id}"


class NotificationChoice(models.Model):
    """How one person wants to be told of one kind; without a row the kind's own way holds."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notification_choices")
    kind = models.CharField(max_length=40)
    channel = models.CharField(max_length=10, choices=Channel.choices)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "kind"], name="notification_choice_once")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.channel}"


class Correspondence(models.Model):
    """In which language a person is written to, and at which hour of the portal's clock their daily mail goes out."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="correspondence"
    )
    #: Chosen for mails; empty: the one in which they used the portal last.
    language = models.CharField(max_length=10, blank=True, default="")
    last_language = models.CharField(max_length=10, blank=True, default="")
    digest_hour = models.PositiveSmallIntegerField(_("hour of the daily mail"), default=7)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(digest_hour__lte=23), name="correspondence_hour_of_a_day")]

    def __str__(self) -> str:
        return f"Correspondence with {self.person_id}"
