"""Guidance, and drafts written from it into which faults were put by hand: what an examination is measured on.

A planted fault is a category and words: of the draft where it lies, or of what is missing. Everything else in a draft
agrees with the guidance, in its words or in others.
"""

from dataclasses import dataclass

GUIDANCE = {
    "supply-terms.md": """# Supply terms

## Delivery

The supplier delivers the goods within 14 days of the order. The supplier bears the risk until they are handed over.

## Payment

Invoices are paid within 30 days of receipt. The buyer may retain 5 % of the price until acceptance.

## Liability

The liability of the supplier is limited to EUR 250,000 for each year of the contract. The supplier is liable for damage
caused by gross negligence.

## Term

The contract begins on 1 March 2027 and runs for 24 months. Either party may end it with 90 days of notice.

## Confidentiality

Each party keeps the confidential information of the other party secret for five years after the end of the contract.

## Data protection

The supplier processes personal data only on documented instructions of the buyer.
""",
    "travel-rules.md": """# Travel rules

## Approval

A journey is approved by the head of the department at least 10 working days before it begins.

## Transport

Employees travel by train in second class. Flights are allowed for distances above 700 kilometres.

## Meals

The daily allowance for meals is EUR 35 in the country and EUR 50 abroad.

## Settlement

Expenses are settled within 14 days of the end of the journey. Receipts must be attached to every claim.
""",
    "pravilnik-o-radu.md": """# Правилник о раду

## Годишњи одмор

Запослени има право на годишњи одмор од 25 радних дана. Захтев за годишњи одмор подноси се 15 дана унапред.

## Рад од куће

Запослени може да ради од куће три дана недељно након истека пробног рада.

## Отказни рок

Отказни рок за запосленог износи 30 дана од дана подношења отказа.
""",
}


@dataclass(frozen=True, slots=True)
class Planted:
    category: str
    words: str


@dataclass(frozen=True, slots=True)
class Corrupted:
    """A draft with its faults; without any it agrees with the guidance."""

    title: str
    text: str
    faults: tuple[Planted, ...] = ()


DRAFTS = (
    Corrupted(
        "Framework contract",
        """# Framework contract

1. Delivery
The supplier delivers the goods within 21 days of the order. The supplier bears the risk until they are handed over.

2. Payment
Invoices are paid within 60 days of receipt. The buyer may retain 5 % of the price until acceptance.

3. Liability
The liability of the supplier is limited to EUR 50,000 for each year of the contract. The supplier is not liable for
damage caused by gross negligence.

4. Term
The contract begins on 1 April 2027 and runs for 24 months. Either party may end it with 90 days of notice.

5. Confidentiality
Each party keeps the confidential information of the other party secret for five years after the end of the contract.
""",
        (
            Planted("conflict", "21"),
            Planted("conflict", "60"),
            Planted("conflict", "EUR 50,000"),
            Planted("conflict", "The supplier is not liable"),
            Planted("conflict", "1 April 2027"),
            Planted("missing", "Data protection"),
        ),
    ),
    Corrupted(
        "Contract as agreed",
        """# Contract as agreed

1. Delivery
The supplier delivers the goods within 14 days of the order.

2. Payment
Invoices are paid within 30 days of receipt.

3. Liability
The liability of the supplier is limited to EUR 250,000 for each year of the contract.

4. Term
The contract begins on 1 March 2027 and runs for 24 months. Either party may end it with 90 days of notice.

5. Confidentiality
Each party keeps the confidential information of the other party secret for five years after the end of the contract.

6. Data protection
The supplier processes personal data only on documented instructions of the buyer.
""",
    ),
    Corrupted(
        "Leaflet for travellers",
        """# Leaflet for travellers

Before you go
Every journey is approved by the head of the department at least 5 working days before it begins.

On the way
Employees travel by train in second class. Flights are allowed for distances above 400 kilometres.

Meals
The daily allowance for meals is EUR 35 in the country and EUR 50 abroad.

Afterwards
Expenses are settled within 30 days of the end of the journey. Receipts must be attached to every claim.
""",
        (Planted("conflict", "5"), Planted("conflict", "400"), Planted("conflict", "30")),
    ),
    Corrupted(
        "Services agreement",
        """# Services agreement

“Services” means the cleaning of the offices named below. “Key Contact” means the person who receives complaints.

1. Scope
The contractor performs the Services every working day. The contractor answers complaints within 24 hours.

2. Staff
The Responsible Supervisor is present on every floor, and the tenant informs the Responsible Supervisor of visitors.

3. Complaints
The contractor answers every complaint of the tenant within 48 hours of its receipt.

4. Price
The monthly price of the cleaning is EUR 4,000.

5. Summary
The monthly price of the cleaning is EUR 4,500.
""",
        (
            Planted("term", "Key Contact"),
            Planted("term", "Responsible Supervisor"),
            Planted("inconsistent", "48"),
            Planted("inconsistent", "4,500"),
        ),
    ),
    Corrupted(
        "Уговор о раду",
        """# Уговор о раду

Члан 1
Запослени има право на годишњи одмор од 20 радних дана. Захтев за годишњи одмор подноси се 15 дана унапред.

Члан 2
Запослени може да ради од куће два дана недељно након истека пробног рада.

Члан 3
Отказни рок за запосленог износи 15 дана од дана подношења отказа.
""",
        (Planted("conflict", "20"), Planted("conflict", "два"), Planted("conflict", "15 дана од")),
    ),
)
