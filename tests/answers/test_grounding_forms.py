"""The same fact in another form stands, another fact in nearly the same words does not: figures, sense and place."""

import pytest

from answers.grounding import figures, sentence
from answers.grounding.sentence import Place, Weighed, weigh_sentence
from answers.models import Grounding
from documents import analysis

SAME_FIGURE = [
    ("The fee is EUR 5m a year.", "The fee is 5 million euros a year."),
    ("The fee is $2.5bn for all sites.", "The fee is 2.5 billion dollars for all sites."),
    ("The limit is one hundred and twenty days of leave.", "The limit is 120 days of leave."),
    ("The limit is 120 days of leave.", "The limit is one hundred twenty days of leave."),
    ("Казна износи двеста хиљада динара.", "Казна износи 200.000 динара."),
    ("Казна износи 300 динара по дану.", "Kazna iznosi trista dinara po danu."),
    ("Рок је сто двадесет дана од пријема.", "Rok je 120 dana od prijema."),
    ("Kazna iznosi pet hiljada dinara.", "Kazna iznosi 5.000 RSD."),
    ("The meeting is at 2 pm in the main hall.", "The meeting is at 14:00 in the main hall."),
    ("The meeting is at 14.30 in the main hall.", "The meeting is at 14:30 in the main hall."),
    ("Sednica se održava 15. marta 2024. godine u 10 časova.", "Седница се одржава 15.03.2024. у 10:00."),
    ("Half of the members must vote.", "50 % of the members must vote."),
    ("The contract ends on 12.03.24.", "The contract ends on 12 March 2024."),
    ("The contract ends on 12 March '24.", "The contract ends on 12 March 2024."),
    ("The first party pays the fee.", "The 1st party pays the fee."),
    ("Leave is granted twice a year for parents.", "Leave is granted two times a year for parents."),
    ("The term is 5–7 years for loans.", "The term is between 5 and 7 years for loans."),
]
OTHER_FIGURE = [
    ("The penalty is two hundred fifty euros for each breach.", "The penalty is two hundred euros for each breach."),
    ("The penalty is 25,000 euros.", "The penalty is one hundred thousand euros."),
    ("The load must not exceed 500 kg on the upper shelf.", "The load must not exceed 500 g on the upper shelf."),
    ("The file may be up to 20 MB large.", "The file may be up to 20 GB large."),
    ("The fee is EUR 5m a year.", "The fee is EUR 5bn a year."),
    ("The meeting is at 2 pm in the main hall.", "The meeting is at 2 am in the main hall."),
    ("The shop opens at 10:00 each day.", "The shop opens at 22:00 each day."),
    ("The report is due in the first quarter of the year.", "The report is due in the third quarter of the year."),
    ("Half of the members must vote.", "A third of the members must vote."),
    ("Казна износи двеста хиљада динара.", "Казна износи триста хиљада динара."),
    ("Kazna iznosi dvije stotine eura.", "Kazna iznosi pet stotina eura."),
    ("Uslov je ispunjen ako glasa polovina članova.", "Uslov je ispunjen ako glasa trećina članova."),
]
SAME_IN_OTHER_WORDS = [
    ("The meeting is at 14:30 in the main hall.", "The meeting is at half past two in the main hall."),
    ("The meeting is at half past two in the afternoon.", "The meeting is at 14:30."),
    ("The meeting is at half past two in the afternoon.", "The meeting is at 2.30 pm."),
    ("The desk closes at a quarter to five.", "The desk closes at 4:45 pm."),
    ("The desk closes at 16:45 each day.", "The desk closes at a quarter to five each day."),
    ("The desk opens at nine o'clock on weekdays.", "The desk opens at 9:00 on weekdays."),
    ("The desk opens at 9 am on weekdays.", "The desk opens at nine o'clock in the morning on weekdays."),
    ("Lunch ends at two thirty.", "Lunch ends at 14:30."),
    ("The desk closes at ten minutes to three.", "The desk closes at 14:50."),
    ("Orders are taken until noon on Friday.", "Orders are taken until 12:00 on Friday."),
    ("Orders are taken until 24 December at midnight.", "Orders are taken until 24 December at 00:00."),
    ("Sastanak počinje u pola tri popodne u sali.", "Састанак почиње у 14:30 у сали."),
    ("Sastanak počinje u 14:30 u velikoj sali.", "Sastanak počinje u pola tri u velikoj sali."),
    ("Састанак почиње у 14 часова и 30 минута у сали.", "Sastanak počinje u 14:30 u sali."),
    ("Prijem traje do petnaest minuta do pet popodne.", "Prijem traje do 16:45."),
    ("Sastanak počinje u dva i trideset u sali.", "Sastanak počinje u 14:30 u sali."),
    ("The probation period is 12 months for new staff.", "The probation period is one year for new staff."),
    ("The probation period is one year for new staff.", "The probation period is 12 months for new staff."),
    ("The warranty runs for two years from delivery.", "The warranty runs for 24 months from delivery."),
    ("The warranty runs for a year from delivery.", "The warranty runs for 12 months from delivery."),
    ("The warranty runs for half a year from delivery.", "The warranty runs for six months from delivery."),
    ("The warranty runs for 18 months from delivery.", "The warranty runs for 1.5 years from delivery."),
    ("Objections are filed within two weeks of the notice.", "Objections are filed within 14 days of the notice."),
    ("Breaks last half an hour on long days.", "Breaks last 30 minutes on long days."),
    ("Ugovor važi godinu dana od potpisivanja.", "Ugovor važi 12 meseci od potpisivanja."),
    ("Уговор важи 24 месеца од потписивања.", "Ugovor važi dve godine od potpisivanja."),
    ("Pauza traje pola sata svakog dana.", "Pauza traje 30 minuta svakog dana."),
    ("The load must not exceed 1.5 kg on the shelf.", "The load must not exceed 1,500 g on the shelf."),
    ("The desk opens at 9:30 in the evening.", "The desk opens at 21:30."),
    ("From ten to twelve members attend.", "From 10 to 12 members attend."),
]
OTHER_IN_OTHER_WORDS = [
    ("The meeting is at 14:30 in the main hall.", "The meeting is at half past three in the main hall."),
    ("The meeting is at 14:30 in the main hall.", "The meeting is at a quarter past two in the main hall."),
    ("The meeting is at half past two in the afternoon.", "The meeting is at 02:30."),
    ("The meeting is at 14:30 in the main hall.", "The meeting is at half past two in the morning in the main hall."),
    ("The desk closes at a quarter to five each day.", "The desk closes at 5:15 pm each day."),
    ("Orders are taken until noon on Friday.", "Orders are taken until midnight on Friday."),
    ("Sastanak počinje u pola tri popodne u sali.", "Sastanak počinje u 15:30 u sali."),
    ("Sastanak počinje u 10 časova u sali.", "Sastanak počinje u 22:00 u sali."),
    ("The probation period is 12 months for new staff.", "The probation period is two years for new staff."),
    ("The probation period is one year for new staff.", "The probation period is 6 months for new staff."),
    ("The probation period is 12 months for new staff.", "The probation period is 12 years for new staff."),
    ("The warranty runs for half a year from delivery.", "The warranty runs for 12 months from delivery."),
    ("The warranty runs for a year from delivery.", "The warranty runs for 24 months from delivery."),
    ("Payment is due within 30 days of the invoice.", "Payment is due within one month of the invoice."),
    ("Payment is due within 14 working days of the invoice.", "Payment is due within two weeks of the invoice."),
    ("Leave is two days for a wedding.", "Leave is 48 hours for a wedding."),
    ("Ugovor važi godinu dana od potpisivanja.", "Ugovor važi dve godine od potpisivanja."),
    ("Ugovor važi dve godine od potpisivanja.", "Ugovor važi godinu dana od potpisivanja."),
    ("The load must not exceed 1.5 kg on the shelf.", "The load must not exceed 150 g on the shelf."),
]


def weighed(source: str, claim: str) -> Weighed:
    language = analysis.detect_language(source)
    return weigh_sentence(claim, [Place(source, source, "", language)], spoken=language)


@pytest.mark.parametrize(("source", "claim"), [*SAME_FIGURE, *SAME_IN_OTHER_WORDS])
def test_the_same_figure_in_another_form_is_the_same(source, claim):
    assert weighed(source, claim).verdict == Grounding.SUPPORTED


@pytest.mark.parametrize(("source", "claim"), [*OTHER_FIGURE, *OTHER_IN_OTHER_WORDS])
def test_another_figure_in_the_same_words_is_another(source, claim):
    found = weighed(source, claim)

    assert found.verdict == Grounding.UNSUPPORTED
    assert found.reasons[0]["code"] in {"number", "unit"}


def test_a_sentence_without_a_time_has_none():
    for said in (
        "From ten to twelve members attend.",
        "The board has from deset do dvanaest članova.",
        "Half of the members walked past two doors.",
        "Posle podne se radi u dva smena.",
    ):
        found = figures.read(said).numbers

        assert not [value for number in found for value in number.values if ":" in value], said


SAME_SENSE = [
    ("Notice is given no later than 30 days before.", "Notice is given at most 30 days before."),
    ("Rok za prijavu štete iznosi ne više od 8 dana.", "Rok za prijavu štete iznosi najviše 8 dana."),
    (
        "Smoking is not permitted in any office, corridor, stairwell or garage.",
        "Smoking is prohibited in any office, corridor, stairwell or garage.",
    ),
    (
        "Pušenje je zabranjeno u svim prostorijama i dvorištu ove zgrade.",
        "Pušenje nije dozvoljeno u svim prostorijama i dvorištu ove zgrade.",
    ),
    (
        "The allowance is 30 euros for lunch and 50 for dinner.",
        "The allowance is 50 for dinner and 30 euros for lunch.",
    ),
    ("Item | Price | Stock\nBolt | 12 | 400\nNut | 7 | 900", "The Bolt has Price 12 and Stock 400."),
    ("The company grew between 2019 and 2023.", "Between 2019 and 2023 the company grew."),
    ("The desk is open from Monday to Friday.", "The desk is open Monday to Friday."),
]
OTHER_SENSE = [
    ("Visitors are not allowed in the server room without an escort.",
     "Visitors are allowed in the server room without an escort.", "negation"),
    ("Visitors are allowed in the server room only with an escort.",
     "Visitors are not allowed in the server room with an escort.", "negation"),
    ("Staff may work from home two days a week.", "Staff may work from home two days a month.", "opposite"),
    ("Overtime is paid unless the manager objects.", "Overtime is paid if the manager objects.", "opposite"),
    ("All employees are entitled to the bonus.", "Some employees are entitled to the bonus.", "opposite"),
    ("Payment is due within 30 days of the invoice.", "Payment is due after 30 days of the invoice.", "opposite"),
    ("Sednica se održava u ponedeljak u velikoj sali.", "Седница се одржава у уторак у великој сали.", "opposite"),
    ("Sednica se održava u martu u velikoj sali.", "Sednica se održava u maju u velikoj sali.", "opposite"),
    ("Kamata se obračunava mesečno na ceo dug.", "Kamata se obračunava godišnje na ceo dug.", "opposite"),
    ("The allowance is 30 euros for lunch and 50 euros for dinner.",
     "The allowance is 50 euros for lunch and 30 euros for dinner.", "figure_moved"),
    ("The contract begins on 1 January 2023 and ends on 12 March 2024.",
     "The contract begins on 12 March 2024 and ends on 1 January 2023.", "figure_moved"),
    ("Leave is 20 days for staff under 30 and 25 days for staff over 50.", "Leave is 25 days for staff under 30.",
     "figure_moved"),
    ("Član 12. stav 3. primenjuje se na ugovore.", "Član 3. stav 12. primenjuje se na ugovore.", "figure_moved"),
    ("The guarantee is 1 year for bolts and 24 months for nuts.",
     "The guarantee is 24 months for bolts and 12 months for nuts.", "figure_moved"),
    ("Item | Price | Stock\nBolt | 12 | 400\nNut | 7 | 900", "The Bolt has Price 7 and Stock 900.", "figure_moved"),
    ("Ставка | Цена | Залиха\nВијак | 12 | 400\nМатица | 7 | 900", "Matica | 12 | 400", "figure_moved"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "claim"), SAME_SENSE)
def test_the_same_said_the_other_way_round_is_the_same(source, claim):
    assert weighed(source, claim).verdict == Grounding.SUPPORTED


@pytest.mark.parametrize(("source", "claim", "code"), OTHER_SENSE)
def test_nearly_the_same_words_that_say_something_else_do_not_stand(source, claim, code):
    found = weighed(source, claim)

    assert found.verdict != Grounding.SUPPORTED
    assert code in [reason["code"] for reason in found.reasons]


def test_each_of_the_new_checks_is_what_catches_it(monkeypatch):
    monkeypatch.setattr(sentence, "moved", lambda *_: "")
    monkeypatch.setattr(sentence, "opposite", lambda *_: None)
    monkeypatch.setattr(sentence, "denial_differs", lambda *_: False)

    believed = [weighed(source, claim).verdict for source, claim, _code in OTHER_SENSE]

    assert believed.count(Grounding.SUPPORTED) >= len(OTHER_SENSE) - 2
