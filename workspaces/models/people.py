"""People and the groups they are in."""

import uuid

from django.contrib.auth.models import AbstractUser, Group
from django.db import models
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A person with an account. What they may do comes from their groups alone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(_("e-mail address"), blank=True)
    groups = models.ManyToManyField(
        Group,
        through="Membership",
        through_fields=("user", "group"),
        blank=True,
        related_name="user_set",
        related_query_name="user",
    )

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")

    @property
    def name(self) -> str:
        """What other people see."""
        return self.get_full_name() or self.username


class Membership(models.Model):
    """A person's place in a group, with who put them there. The only link between people and roles.

    A place given by hand and one given by an identity provider are two rows: taking one leaves the other.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="memberships")
    #: Empty: by hand. Else the identity provider whose groups claim gives it, recomputed at each of its sign-ins.
    source = models.CharField(max_length=60, blank=True, default="")
    added_at = models.DateTimeField(auto_now_add=True)
    added_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "group", "source"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.group}"


class PeopleGroup(models.Model):
    """People who are granted or barred together, such as a department. By itself it holds no role."""

    group = models.OneToOneField(Group, on_delete=models.CASCADE, primary_key=True, related_name="people_group")
    name = models.CharField(_("name"), max_length=120, unique=True)
    description = models.CharField(_("what it is for"), max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("group of people")
        verbose_name_plural = _("groups of people")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
