"""Follow-ups read by rules: what is carried over, and what stands alone."""

import pytest

from answers.chat import followups

LEAVE = "How many days of annual leave does a full-time employee have?"
ODMOR = "Koliko dana godišnjeg odmora ima zaposleni sa punim radnim vremenom?"
ОДМОР = "Колико дана годишњег одмора има запослени?"


@pytest.mark.parametrize(
    ("earlier", "question", "understood"),
    [
        ([LEAVE], "What about part-time employees?", "What about part-time employees (days of annual leave)?"),
        ([LEAVE], "When does it expire?", "When does it (days of annual leave, full-time employee) expire?"),
        ([LEAVE], "Why?", "Why (days of annual leave, full-time employee)?"),
        (
            [LEAVE, "What about part-time employees?"],
            "And who approves it?",
            "And who approves it (part-time employees, days of annual leave)?",
        ),
        ([ODMOR], "A zaposleni sa nepunim?", "A zaposleni sa nepunim (dana godišnjeg odmora, punim radnim vremenom)?"),
        ([ODMOR, "A za pripravnike?"], "Ko ga odobrava", None),
        ([ОДМОР], "Ко га одобрава?", "Ко га (дана годишњег одмора, запослени) одобрава?"),
        ([ОДМОР], "А за приправнике?", "А за приправнике (дана годишњег одмора, запослени)?"),
        ([ОДМОР], "Zašto?", "Zašto (дана годишњег одмора, запослени)?"),
    ],
)
def test_a_follow_up_carries_the_topic_of_the_question_before_it(earlier, question, understood):
    said = followups.stand_alone(question, earlier)

    if understood is None:
        assert said.startswith("Ko ga (pripravnike, dana godišnjeg odmora")
    else:
        assert said == understood


@pytest.mark.parametrize(
    "question",
    [
        "Who approves purchases above 5,000 euros?",
        "Which contracts that end in May are renewed?",
        "Is it allowed to smoke in the office?",
        "How long does it take to get reimbursed?",
        "Do employees lose their leave if they resign?",
        "Ko odobrava nabavke iznad 5.000 evra?",
        "Da li je moguće da se odmor prenese u narednu godinu?",
        "Ко одобрава набавке изнад 5.000 евра?",
    ],
)
def test_a_question_that_can_be_understood_alone_stays_as_it_is(question):
    assert followups.stand_alone(question, [LEAVE, ODMOR, ОДМОР]) == ""


def test_the_first_question_of_a_conversation_is_no_follow_up():
    assert followups.stand_alone("What about it?", []) == ""


def test_what_is_carried_over_stays_short():
    long = "Which " + " ".join(f"word{number}" for number in range(40)) + "?"

    said = followups.stand_alone("Why?", [long])

    assert said.count("word") == followups.MOST_WORDS
