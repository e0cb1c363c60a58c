"""A question on its way through the steps, with the real search and the built-in model."""

from answers.states import AnswerStatus

QUESTION = "How many days of paid parental leave does the second parent take?"


def test_an_open_workspace_answers_with_a_quote_from_the_document(policies, handbook, member, answered):
    answer = answered(policies, QUESTION, member)

    assert answer.status == AnswerStatus.ANSWERED
    assert "20 working days" in answer.released_text
