"""What the demo seeds and asks: workspaces, accounts, documents and questions.

Plain data. The demo command reads it to build the workspaces, and checks every
answer against what is expected here.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FOLDER = Path(__file__).parent / "documents"


@dataclass(frozen=True)
class DemoWorkspace:
    """`templates` are the codes of the built-in ones that its manager takes in."""

    slug: str
    name: str
    description: str
    policy: Literal["open", "review"]
    templates: tuple[str, ...] = ()


@dataclass(frozen=True)
class DemoAccount:
    """A sign-in named by its role; `roles` maps a workspace's slug to a role code."""

    username: str
    full_name: str
    roles: dict[str, str]
    is_platform_admin: bool = False


@dataclass(frozen=True)
class DemoDocument:
    """`path` is below FOLDER; `restricted_to` names the accounts that may open it, () for all members."""

    path: str
    workspace: str
    title: str
    language: str
    restricted_to: tuple[str, ...] = ()


@dataclass(frozen=True)
class DemoQuestion:
    """`document` and `phrase` say which document holds the answer, and the words it must quote."""

    workspace: str
    text: str
    asked_as: str
    expect: Literal["answered", "refused_no_evidence", "held"]
    document: str = ""
    phrase: str = ""


WORKSPACES = (
    DemoWorkspace(
        slug="policies",
        name="Company policies",
        description="How Velmarin Freight works: leave, purchasing, travel, security.",
        policy="open",
        templates=("policy_lookup", "executive_summary", "plain_language"),
    ),
    DemoWorkspace(
        slug="legal",
        name="Legal and contracts",
        description="Templates and schedules of the legal department. A reviewer releases every answer.",
        policy="review",
        templates=("precedents", "contract_risk", "fact_extraction", "draft_review"),
    ),
)

ACCOUNTS = (
    DemoAccount("manager", "Knowledge manager", {"policies": "manager", "legal": "manager"}),
    DemoAccount("contributor", "Contributor", {"policies": "contributor", "legal": "contributor"}),
    DemoAccount("reviewer", "Compliance officer", {"policies": "reviewer", "legal": "reviewer"}),
    DemoAccount("member", "Member", {"policies": "member", "legal": "member"}),
    DemoAccount("auditor", "Auditor", {"policies": "auditor", "legal": "auditor"}),
    DemoAccount("admin", "Platform administrator", {}, is_platform_admin=True),
)

DOCUMENTS = (
    DemoDocument("policies/employee-handbook.pdf", "policies", "Employee handbook", "en"),
    DemoDocument("policies/purchasing-policy.docx", "policies", "Purchasing policy", "en"),
    DemoDocument("policies/travel-expenses.xlsx", "policies", "Travel expenses 2026", "en"),
    DemoDocument("policies/security-basics.pptx", "policies", "Security basics", "en"),
    DemoDocument("policies/service-desk.html", "policies", "IT service desk", "en"),
    DemoDocument("policies/incident-response.md", "policies", "Incident response", "en"),
    DemoDocument("policies/office-closures-2026.csv", "policies", "Office closures 2026", "en"),
    DemoDocument("policies/visitor-rules.txt", "policies", "Visitor rules", "en"),
    DemoDocument("policies/rad-od-kuce.docx", "policies", "Pravilnik o radu od kuće", "sr-Latn"),
    DemoDocument("policies/sluzbeni-put.txt", "policies", "Uputstvo za službeni put", "sr-Latn"),
    DemoDocument("policies/bezbednost-na-radu.md", "policies", "Правилник о безбедности и здрављу на раду", "sr-Cyrl"),
    DemoDocument("policies/salary-bands.xlsx", "policies", "Salary bands 2026", "en", restricted_to=("manager",)),
    DemoDocument("legal/mutual-nda.docx", "legal", "Mutual non-disclosure agreement", "en"),
    DemoDocument("legal/carrier-agreement.pdf", "legal", "Carrier framework agreement", "en"),
    DemoDocument("legal/data-processing-addendum.html", "legal", "Data processing addendum", "en"),
    DemoDocument("legal/records-retention.md", "legal", "Records retention schedule", "en"),
)

QUESTIONS = (
    DemoQuestion(
        workspace="policies",
        text="How many days of paid parental leave does the second parent take?",
        asked_as="member",
        expect="answered",
        document="policies/employee-handbook.pdf",
        phrase="20 working days",
    ),
    DemoQuestion(
        workspace="policies",
        text="What is the approval limit of a department head for a purchase?",
        asked_as="member",
        expect="answered",
        document="policies/purchasing-policy.docx",
        phrase="EUR 15,000",
    ),
    # Asked in Latin script about a document in Cyrillic: the two must meet.
    DemoQuestion(
        workspace="policies",
        text="Koliko časova traje obuka za viljuškariste?",
        asked_as="member",
        expect="answered",
        document="policies/bezbednost-na-radu.md",
        phrase="траје 16 часова",
    ),
    DemoQuestion(
        workspace="policies",
        text="Which visa do I need for New Zealand?",
        asked_as="member",
        expect="refused_no_evidence",
    ),
    DemoQuestion(
        workspace="legal",
        text="How long do the confidentiality obligations continue after an agreement ends?",
        asked_as="member",
        expect="held",
        document="legal/mutual-nda.docx",
        phrase="three years after the agreement ends",
    ),
)
