"""An entry of the trail, as a template shows it."""

from django import template

from audit import timeline

register = template.Library()
register.filter("told", timeline.sentence)
register.filter("told_reason", timeline.reason)
register.filter("told_changes", timeline.changes)
