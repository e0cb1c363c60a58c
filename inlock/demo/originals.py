"""The text of the demo documents that are stored in binary formats.

The company, Velmarin Freight, is invented. A document is a tuple of blocks, so
that the same few kinds of text can become a PDF or a DOCX; `make_documents`
turns them into files. Facts agree with the plain-text documents beside them.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Heading:
    text: str
    level: int = 1


@dataclass(frozen=True)
class Paragraph:
    text: str


@dataclass(frozen=True)
class Bullets:
    items: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Rows of cells; the first row is the header."""

    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class PageBreak:
    pass


Block = Heading | Paragraph | Bullets | Table | PageBreak
Cell = str | int | float

HANDBOOK: tuple[Block, ...] = (
    Heading("1. About this handbook"),
    Paragraph(
        "This handbook sets out what Velmarin Freight and the people who work for it can expect of each "
        "other. It applies to every employee in the offices in Rotterdam, Trieste and Novi Sad and in the "
        "Trieste warehouse. Version 4.2 is in force from 1 January 2026 and replaces version 4.1."
    ),
    Paragraph(
        "The Head of People owns the handbook and reviews it every year in November. Where a contract of "
        "employment or the law of the country of work gives an employee more than this handbook, the "
        "contract or the law applies."
    ),
    Heading("1.1 How to ask a question", 2),
    Paragraph(
        "Questions about leave, pay and working time go to the People team. The People team answers within "
        "three working days. Questions about conduct may be put to the Compliance Officer in confidence."
    ),
    PageBreak(),
    Heading("2. Working time"),
    Paragraph(
        "Full-time work is 40 hours a week. Office employees arrange their day with their team lead, and "
        "are reachable during the core hours from 10:00 to 15:00 local time, Monday to Friday."
    ),
    Heading("2.1 Warehouse shifts", 2),
    Paragraph(
        "The Trieste warehouse works in two shifts: the early shift from 06:00 to 14:00 and the late shift "
        "from 14:00 to 22:00. The shift plan is published at least 14 days ahead. A shift may be swapped "
        "with a colleague of the same qualification when the shift supervisor agrees in writing."
    ),
    Heading("2.2 Overtime", 2),
    Paragraph(
        "Overtime needs the approval of the team lead before it is worked. Approved overtime is paid at "
        "1.5 times the hourly rate, or taken as time off of the same value within three months. Nobody "
        "works more than 48 hours in a week on average over four months."
    ),
    Heading("2.3 Breaks", 2),
    Paragraph(
        "A working day of more than six hours includes an unpaid break of 30 minutes. Forklift drivers "
        "take an additional paid break of 10 minutes every two hours."
    ),
    PageBreak(),
    Heading("3. Leave"),
    Paragraph(
        "Every full-time employee has 25 working days of paid annual leave a year. Part-time employees "
        "have a proportional part. Annual leave is requested in the leave calendar at least 10 working "
        "days ahead, and the team lead answers within three working days."
    ),
    Paragraph("Up to five unused days of annual leave may be carried over into the next year; they lapse on 31 March."),
    Heading("3.1 Parental leave", 2),
    Paragraph(
        "The birth parent takes 26 weeks of parental leave at full pay. The second parent takes 20 working "
        "days of paid parental leave, to be used within 12 months of the birth. The same 20 days apply to "
        "each parent who adopts a child."
    ),
    Paragraph(
        "Parental leave is announced to the People team at least eight weeks before it begins. The second "
        "parent may split the leave into at most three parts."
    ),
    Heading("3.2 Leave at a glance", 2),
    Table(
        (
            ("Kind of leave", "Length", "Pay", "Notice"),
            ("Annual leave", "25 working days", "full", "10 working days"),
            ("Parental leave, birth parent", "26 weeks", "full", "8 weeks"),
            ("Parental leave, second parent", "20 working days", "full", "8 weeks"),
            ("Moving house", "1 working day", "full", "5 working days"),
            ("Bereavement, close family", "5 working days", "full", "none"),
            ("Volunteering", "2 working days", "full", "10 working days"),
            ("Unpaid leave", "up to 3 months", "none", "3 months"),
        )
    ),
    PageBreak(),
    Heading("4. Sickness"),
    Paragraph(
        "An employee who is ill tells the team lead before 09:00 on the first day, or two hours before the "
        "shift begins in the warehouse. A medical certificate is needed from the third day of absence."
    ),
    Paragraph(
        "Sick pay is 100 % of salary for the first six weeks and 80 % for the following 20 weeks. After an "
        "absence of more than six weeks the People team offers a phased return over at most eight weeks."
    ),
    Heading("4.1 Accidents at work", 2),
    Paragraph(
        "Every accident at work, however small, is entered in the accident book on the same day. The shift "
        "supervisor reports an accident that leads to more than three days of absence to the labour "
        "inspectorate."
    ),
    PageBreak(),
    Heading("5. Working from home"),
    Paragraph(
        "Office employees may work from home two days a week after their probation of six months. The days "
        "are agreed with the team lead. Work from another country needs the written approval of the Head "
        "of People, and is limited to 20 working days in a calendar year."
    ),
    Paragraph(
        "The company provides a laptop and a headset, and pays a one-off allowance of EUR 300 for a desk "
        "and a chair. Printing of customer documents at home is not allowed."
    ),
    Heading("6. Conduct"),
    Paragraph(
        "Gifts and invitations from customers, carriers or suppliers worth more than EUR 50 are declined. "
        "Smaller gifts are entered in the gift register within five working days. Cash is never accepted."
    ),
    Paragraph(
        "A possible conflict of interest is reported to the Compliance Officer within five working days of "
        "becoming known. Reports of misconduct can be made without giving a name; nobody suffers a "
        "disadvantage for a report made in good faith."
    ),
    PageBreak(),
    Heading("7. Learning"),
    Paragraph(
        "Every employee has a learning budget of EUR 1,200 a year and five study days. The team lead "
        "approves courses up to the budget; the department head approves anything above it. A course that "
        "costs more than EUR 3,000 is repaid in part when the employee leaves within 12 months of its end."
    ),
    Heading("7.1 Required courses", 2),
    Bullets(
        (
            "Security basics: every employee, within 14 days of the first working day and then once a year.",
            "Dangerous goods awareness: operations and warehouse, every two years.",
            "Customs basics: operations, within the first six months.",
            "Fire warden course: two people on each floor, every three years.",
        )
    ),
    PageBreak(),
    Heading("8. Leaving the company"),
    Paragraph(
        "Notice is given in writing. During probation the notice period is two weeks; after it, the length "
        "of service decides, for both sides:"
    ),
    Table(
        (
            ("Length of service", "Notice period"),
            ("less than 2 years", "1 month"),
            ("2 to 5 years", "2 months"),
            ("more than 5 years", "3 months"),
        )
    ),
    Paragraph(
        "Laptop, phone, keys and badges are returned on the last working day. Access to all systems ends "
        "at 18:00 on that day. The People team issues a reference within 15 working days."
    ),
)

PURCHASING: tuple[Block, ...] = (
    Heading("Purchasing and approval limits"),
    Paragraph(
        "This policy applies to everything Velmarin Freight buys, except freight capacity bought for a "
        "customer's shipment. It is owned by the Finance Director and in force from 1 February 2026."
    ),
    Heading("Who may approve a purchase", 2),
    Paragraph(
        "A purchase is approved before it is ordered, by the first person in this table whose limit covers "
        "the whole value of the contract without tax. Splitting an order to stay under a limit is a breach "
        "of this policy."
    ),
    Table(
        (
            ("Role", "Approval limit", "Comparative offers"),
            ("Team lead", "EUR 2,500", "1"),
            ("Department head", "EUR 15,000", "3 above EUR 5,000"),
            ("Finance Director", "EUR 60,000", "3"),
            ("Managing board", "above EUR 60,000", "tender"),
        )
    ),
    Paragraph(
        "The approval limit of a department head is EUR 15,000 for a single purchase. A contract that runs "
        "for more than three years always goes to the managing board."
    ),
    Heading("How to buy", 2),
    Bullets(
        (
            "Open a purchase request with the supplier, the amount and the reason.",
            "Attach three comparative offers when the value is above EUR 5,000.",
            "Wait for the approval; an order placed without it is not paid.",
            "Confirm the delivery within five working days of receipt.",
        )
    ),
    Heading("Purchase cards", 2),
    Paragraph(
        "A purchase card may be used for up to EUR 500 for one transaction and EUR 2,000 in a month. Fuel "
        "and road tolls do not count towards the monthly amount. A lost card is reported within one hour."
    ),
    Heading("New suppliers", 2),
    Paragraph(
        "A new supplier is checked against the sanctions list and asked for a tax certificate not older "
        "than six months. The Purchasing Coordinator completes the check within four working days."
    ),
)

HOME_WORK_SR: tuple[Block, ...] = (
    Heading("Pravilnik o radu od kuće"),
    Paragraph(
        "Ovaj pravilnik važi za zaposlene u kancelariji Velmarin Freight u Novom Sadu i primenjuje se od "
        "1. februara 2026. godine. Za njegovo tumačenje nadležan je sektor ljudskih resursa."
    ),
    Heading("Ko može da radi od kuće", 2),
    Paragraph(
        "Zaposleni može da radi od kuće dva dana nedeljno, pošto završi probni rad od šest meseci. Dane "
        "dogovara sa rukovodiocem tima najkasnije do petka za narednu nedelju."
    ),
    Heading("Oprema i troškovi", 2),
    Paragraph(
        "Poslodavac obezbeđuje prenosni računar i slušalice. Za radni sto i stolicu isplaćuje se "
        "jednokratna naknada od 300 evra, a za struju i internet 2.500 dinara mesečno."
    ),
    Heading("Obaveze zaposlenog", 2),
    Bullets(
        (
            "Dostupan je na telefon i elektronsku poštu od 10 do 15 časova.",
            "Dokumenta kupaca ne štampa kod kuće i ne čuva ih na privatnom računaru.",
            "Povredu na radu prijavljuje rukovodiocu istog dana.",
            "Radni prostor može pregledati lice za bezbednost i zdravlje na radu, uz najavu od tri dana.",
        )
    ),
    Table(
        (
            ("Stavka", "Iznos", "Isplata"),
            ("Sto i stolica", "300 evra", "jednokratno"),
            ("Struja i internet", "2.500 dinara", "mesečno"),
            ("Slušalice", "u naturi", "na tri godine"),
        )
    ),
)

NDA: tuple[Block, ...] = (
    Heading("Mutual non-disclosure agreement (template)"),
    Paragraph(
        "Template L-07, version 3, approved by the General Counsel on 12 January 2026. To be used between "
        "Velmarin Freight and a customer, carrier or supplier before commercial terms are exchanged. "
        "Changes to clauses 3, 5 and 7 need the approval of the General Counsel."
    ),
    Heading("1. Confidential information", 2),
    Paragraph(
        "Confidential information is everything of a commercial or technical nature that one party "
        "discloses to the other for the purpose, in writing, orally or by access to a system, and that is "
        "marked as confidential or is evidently so. Freight rates, customer lists and customs data are "
        "always confidential."
    ),
    Heading("2. Exceptions", 2),
    Bullets(
        (
            "information that is public without a breach of this agreement;",
            "information that the recipient already held lawfully;",
            "information that the recipient developed without use of the disclosed information;",
            ("information that a court or an authority orders to be disclosed, after notice to the other party."),
        )
    ),
    Heading("3. Term", 2),
    Paragraph(
        "This agreement runs for two years from the last signature. The confidentiality obligations "
        "continue for three years after the agreement ends. For trade secrets they continue as long as the "
        "information remains secret."
    ),
    Heading("4. Return and destruction", 2),
    Paragraph(
        "On request the recipient returns or destroys the confidential information within 30 days and "
        "confirms it in writing. One archive copy may be kept by the legal department."
    ),
    Heading("5. Penalty", 2),
    Paragraph(
        "For each wilful breach the party in breach pays a contractual penalty of EUR 25,000. Further "
        "damages remain open."
    ),
    Heading("6. Signatures", 2),
    Paragraph("For Velmarin Freight, any two members of the managing board sign together."),
    Heading("7. Law and courts", 2),
    Paragraph(
        "The law of the Netherlands applies. The courts of Rotterdam have jurisdiction. With parties in "
        "Serbia the Foreign Trade Arbitration in Belgrade may be agreed instead."
    ),
    Table(
        (
            ("Clause", "May be changed by"),
            ("1, 2, 4, 6", "contract manager"),
            ("3, 5, 7", "General Counsel"),
        )
    ),
)

CARRIER: tuple[Block, ...] = (
    Heading("Framework agreement with road carriers (template)"),
    Paragraph(
        "Template L-12, version 5, in force from 1 March 2026. It governs every transport order that "
        "Velmarin Freight, as principal, places with a road carrier. General terms of the carrier do not "
        "apply."
    ),
    Heading("1. Orders", 2),
    Paragraph(
        "The carrier confirms or declines a transport order within two hours. A confirmed order may be "
        "cancelled free of charge up to 24 hours before loading; later, 60 % of the agreed freight is due."
    ),
    Heading("2. Vehicles and drivers", 2),
    Paragraph(
        "Vehicles meet at least emission class Euro VI and are not older than eight years. The carrier "
        "passes an order to a subcontractor only with written consent."
    ),
    PageBreak(),
    Heading("3. Liability and insurance", 2),
    Paragraph(
        "The carrier is liable for loss, damage and delay. It holds a carrier's liability insurance with "
        "cover of at least EUR 600,000 for each event, and shows the certificate every year by 15 January."
    ),
    Paragraph(
        "Damage that cannot be seen from outside is notified within seven days of delivery. The standstill "
        "of a vehicle at loading is free for two hours; after that EUR 45 for each hour is due, up to EUR "
        "360 a day."
    ),
    Heading("4. Prices and payment", 2),
    Table(
        (
            ("Item", "Rule"),
            ("Payment term", "45 days from receipt of the invoice and the signed consignment note"),
            ("Fuel surcharge", "adjusted monthly when diesel moves by more than 3 %"),
            ("Late consignment note", "EUR 15 deducted after 14 days"),
        )
    ),
    PageBreak(),
    Heading("5. Term and termination", 2),
    Paragraph(
        "The agreement runs for 24 months and is extended by 12 months unless one party gives notice of 90 "
        "days before the end. Either party may terminate at once when the other loses its transport "
        "licence or its insurance cover."
    ),
    Heading("6. Secrecy and data", 2),
    Paragraph(
        "Template L-07 on non-disclosure and the data processing addendum L-15 form part of this "
        "agreement. The carrier does not contact customers of Velmarin Freight for its own account for 12 "
        "months after the last order."
    ),
)

TRAVEL: dict[str, tuple[tuple[Cell, ...], ...]] = {
    "Daily allowances": (
        ("City", "Country", "Daily allowance (EUR)", "Hotel ceiling (EUR per night)"),
        ("Rotterdam", "Netherlands", 48, 165),
        ("Trieste", "Italy", 44, 140),
        ("Novi Sad", "Serbia", 36, 95),
        ("Belgrade", "Serbia", 40, 120),
        ("Hamburg", "Germany", 46, 155),
        ("Antwerp", "Belgium", 47, 150),
        ("Koper", "Slovenia", 38, 110),
        ("Piraeus", "Greece", 42, 130),
    ),
    "Travel rules": (
        ("Item", "Limit", "Note"),
        ("Private car", "EUR 0.36 per kilometre", "only when no company car is free"),
        ("Rail", "second class", "first class from four hours of travel"),
        ("Flight", "economy class", "premium economy from seven hours, with the department head's approval"),
        ("Expense claim", "within 30 days of return", "later claims are refused"),
        ("Receipts", "from EUR 10", "a photograph is enough"),
        ("Advance", "70 % of expected cost", "settled with the claim"),
    ),
}

SALARY_BANDS: dict[str, tuple[tuple[Cell, ...], ...]] = {
    "Bands 2026": (
        ("Band", "Typical roles", "Minimum (EUR a year)", "Midpoint (EUR a year)", "Maximum (EUR a year)"),
        ("B1", "Warehouse operative", 29500, 32000, 34500),
        ("B2", "Forwarding clerk, service desk agent", 34000, 38500, 43000),
        ("B3", "Customs declarant, team lead", 42000, 49000, 56000),
        ("B4", "Department head", 61000, 72000, 83000),
        ("B5", "Director", 88000, 104000, 120000),
    ),
    "Adjustments": (
        ("Rule", "Value"),
        ("General increase on 1 April 2026", "3.2 %"),
        ("Location factor Rotterdam", "1.00"),
        ("Location factor Trieste", "0.88"),
        ("Location factor Novi Sad", "0.71"),
        ("Largest increase without board approval", "8 %"),
    ),
}

# Title, then the lines of the slide.
SECURITY_SLIDES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Security basics for new colleagues",
        (
            "Velmarin Freight, Information Security",
            "Finish this course within 14 days of your first working day",
            "Repeat it once a year",
        ),
    ),
    (
        "Passwords and sign-in",
        (
            "A password has at least 14 characters and is used for one system only",
            "A second factor is required for mail, customs and finance systems",
            "The service desk never asks for your password",
            "Five wrong attempts lock the account for 20 minutes",
        ),
    ),
    (
        "Suspicious mail",
        (
            "Do not open the attachment; press Report in the mail program",
            "Changed bank details of a carrier: call back on the number in the contract",
            "Test mails are sent four times a year",
        ),
    ),
    (
        "Laptops and phones",
        (
            "Lock the screen when you leave it: it locks itself after five minutes",
            "Report a lost device to the service desk within one hour",
            "USB sticks are blocked; use the transfer portal for files above 25 MB",
        ),
    ),
    (
        "Who to tell",
        (
            "Service desk: extension 4400, from 07:00 to 19:00",
            "Outside these hours: the duty officer, extension 4499",
            "A security incident is reported within 30 minutes of being noticed",
        ),
    ),
)
