"""What is asked of a shelf whose embedding model changes, and the workers' part of that change."""

from documents.models import SpaceMigration
from documents.reembedding import building

SUBJECTS = {
    "leave.md": ["Parental leave lasts 26 weeks and is paid in full.", "Unpaid leave is agreed with the head of unit."],
    "travel.md": ["Hotel nights are paid up to 140 euros.", "Train rides of more than four hours are first class."],
    "security.md": ["Badges are worn visibly in the harbour office.", "A lost badge is reported within one hour."],
    "archive.md": ["Contracts are kept for ten years after they end.", "Payslips are destroyed after seven years."],
    "purchase.md": ["Orders above 5,000 euros want three offers.", "The buyer never approves their own order."],
}
#: Each with the document that answers it.
QUESTIONS = {
    "How long does parental leave last?": "leave.md",
    "How much is paid for a hotel night?": "travel.md",
    "When must a lost badge be reported?": "security.md",
    "How long are contracts kept?": "archive.md",
    "How many offers does a large order need?": "purchase.md",
}


def to_the_end(migration: SpaceMigration) -> SpaceMigration:
    """Work on it as the workers do, until nothing more is to do for now; the row as it is then."""
    while building.work(migration.pk) == "more":
        pass
    return SpaceMigration.objects.select_related("workspace", "source", "target").get(pk=migration.pk)
