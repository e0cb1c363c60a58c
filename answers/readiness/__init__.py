"""What of readiness is about answers: models, questions and their cover, the review flow, templates, and rights."""

from answers.readiness import models, questions, rehearsal, review, rights, templates

__all__ = ["models", "questions", "rehearsal", "review", "rights", "templates"]
