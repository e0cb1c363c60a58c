"""The model policy: what may go to which model, for whom and at what cost, asked anew on every call."""

from answers.governing.asking import Reply, ask
from answers.governing.policy import permitted
from answers.models import Purpose

__all__ = ["Purpose", "Reply", "ask", "permitted"]
