"""The same fact in another form stands, another fact in nearly the same words does not: figures, sense and place."""

import pytest

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


def weighed(source: str, claim: str) -> Weighed:
    language = analysis.detect_language(source)
    return weigh_sentence(claim, [Place(source, source, "", language)], spoken=language)


@pytest.mark.parametrize(("source", "claim"), SAME_FIGURE)
def test_the_same_figure_in_another_form_is_the_same(source, claim):
    assert weighed(source, claim).verdict == Grounding.SUPPORTED


@pytest.mark.parametrize(("source", "claim"), OTHER_FIGURE)
def test_another_figure_in_the_same_words_is_another(source, claim):
    found = weighed(source, claim)

    assert found.verdict == Grounding.UNSUPPORTED
    assert found.reasons[0]["code"] in {"number", "unit"}
