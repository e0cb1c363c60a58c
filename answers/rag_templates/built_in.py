"""The templates we wrote. A workspace takes one in as its version 1, and changes it from there."""

from functools import cache
from pathlib import Path
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from answers.exceptions import TemplateError
from answers.models import KNOWLEDGE, Shape
from answers.rag_templates.content import Content
from answers.rag_templates.filters import Filters
from workspaces.models import ReviewPolicy

_FOLDER = Path(__file__).parent / "instructions"

#: What each says to people; what it says to a model stands in a file of its own under `instructions/`.
_SAID: dict[str, dict[str, Any]] = {
    KNOWLEDGE: {
        "name": _("Knowledge Q&A"),
        "purpose": _("Answers a question from the documents in a few sentences, each with its source."),
        "use_when": _("You want to know what the documents say about one thing."),
        "avoid_when": _("You need a whole document summed up or checked."),
        "examples": (_("Who approves an exception to a rule?"), _("How is confidential information handled?")),
    },
    "precedents": {
        "name": _("Precedent finder"),
        "purpose": _("Lists earlier documents and clauses that deal with the same matter, with what each says."),
        "use_when": _("You write something new and look for how it was settled before."),
        "avoid_when": _("You have the text of a document: the page “Precedents” compares it clause by clause."),
        "shape": Shape.TABLE,
        "columns": (_("Document"), _("What it says")),
        "passages": 14,
        "examples": (_("Where did we agree on liability limits before?"), _("Which contracts have a notice period?")),
    },
    "draft_review": {
        "name": _("Draft review"),
        "purpose": _("Holds what you bring against the workspace's guidance and names what does not agree."),
        "use_when": _("You have a clause, a paragraph or, on the page “Draft review”, a whole document."),
        "avoid_when": _("You want a text written: it only says what speaks against one."),
        "shape": Shape.FINDINGS,
        "passages": 12,
        "review": ReviewPolicy.RISK,
        "examples": (_("Does “payment within 90 days” agree with our terms?"),),
    },
    "policy_lookup": {
        "name": _("Policy lookup"),
        "purpose": _("Finds the rule that applies and quotes it word for word, with its conditions and exceptions."),
        "use_when": _("You must act by a rule and need its exact words."),
        "avoid_when": _("There may be no rule: ask with Knowledge Q&A what the documents say at all."),
        "shape": Shape.LIST,
        "passages": 8,
        "examples": (_("How long in advance must leave be requested?"), _("Who may sign a purchase?")),
    },
    "contract_risk": {
        "name": _("Contract risk"),
        "purpose": _("Names the obligations, limits and deadlines in contracts that can become costly, by severity."),
        "use_when": _("You want to know what a contract can cost before you sign, extend or end it."),
        "avoid_when": _("You need legal advice: it reads the documents and decides nothing."),
        "shape": Shape.FINDINGS,
        "passages": 14,
        "review": ReviewPolicy.REVIEW,
        "examples": (_("Which penalties and automatic renewals do we face?"), _("What happens when we end it early?")),
    },
    "fact_extraction": {
        "name": _("Fact extraction"),
        "purpose": _("Draws figures, dates, names and terms out of the documents into a table."),
        "use_when": _("You need facts side by side, to copy or to compare."),
        "avoid_when": _("You need an explanation."),
        "shape": Shape.TABLE,
        "columns": (_("Fact"), _("Value")),
        "passages": 14,
        "examples": (_("All deadlines and notice periods"), _("Amounts and who approves them")),
    },
    "executive_summary": {
        "name": _("Executive summary"),
        "purpose": _("Sums up what the documents say about a subject in a few points for somebody who decides."),
        "use_when": _("Somebody has two minutes and has to decide."),
        "avoid_when": _("The exact words matter."),
        "shape": Shape.LIST,
        "passages": 16,
        "examples": (_("What must management know about remote work?"),),
    },
    "client_email": {
        "name": _("Client e-mail"),
        "purpose": _("Drafts a courteous reply to a client that promises nothing the documents do not say."),
        "use_when": _("A client asked something that the documents answer."),
        "avoid_when": _("The documents are not meant for clients: look at their classification first."),
        "passages": 8,
        "up_to": "internal",
        "review": ReviewPolicy.REVIEW,
        "examples": (_("A client asks how long delivery takes."),),
    },
    "plain_language": {
        "name": _("Plain-language rewrite"),
        "purpose": _("Says in plain words what a rule or clause means, without changing what it says."),
        "use_when": _("Somebody without training has to understand and follow it."),
        "avoid_when": _("The wording itself is disputed."),
        "passages": 6,
        "examples": (_("Explain the rules on expenses in plain words."),),
    },
    "gdpr_check": {
        "name": _("GDPR check"),
        "purpose": _("Holds what the documents say about personal data against the main duties of the GDPR."),
        "use_when": _("You want to see which duties your documents speak of, and where."),
        "avoid_when": _("You need legal advice or a finding of compliance: it gives neither."),
        "shape": Shape.CHECKLIST,
        "passages": 16,
        "review": ReviewPolicy.REVIEW,
        "examples": (_("Which personal data do we keep, for how long, and on what basis?"),),
    },
}

CODES = tuple(_SAID)


@cache
def instructions_of(code: str) -> str:
    """What a model is told; "" for the knowledge template, whose prompt is the workspace's plain one."""
    file = _FOLDER / f"{code}.txt"
    return file.read_text(encoding="utf-8").strip() if file.exists() else ""


def content_of(code: str) -> Content:
    """The content of a built-in template. Raises TemplateError for a code of none."""
    if code not in _SAID:
        raise TemplateError(gettext("There is no built-in template “%(name)s”.") % {"name": code})
    said = dict(_SAID[code])
    return Content(
        **{name: said[name] for name in ("name", "purpose", "use_when", "avoid_when")},
        instructions=instructions_of(code),
        shape=str(said.get("shape", Shape.ANSWER)),
        columns=said.get("columns", ()),
        passages=said.get("passages", 8),
        filters=Filters(up_to=said.get("up_to", "")),
        review=str(said.get("review", "")),
        examples=said.get("examples", ()),
    )


def name_of(code: str) -> str:
    """The name of a built-in template; of another one its code."""
    return told(_SAID[code]["name"]) if code in _SAID else code


def told(text: str) -> str:
    """A text of a template in the reader's language, where it is one of ours that nobody changed."""
    return gettext(text) if text else ""
