"""What can go wrong with questions, answers and drafts. Every message is a sentence for a person."""

from typing import Any

from workspaces.exceptions import Forbidden, PortalError


class QuestionError(PortalError):
    """A question that cannot be asked as it is."""


class WrongState(PortalError):
    """The act does not fit the state the answer or draft is in, often because somebody was faster."""


class ByAsker(Forbidden):
    """Whoever asked a question or brought a draft is no reviewer of what became of it; `sentence` says which it was."""

    def __init__(self, sentence: Any, **what: Any) -> None:
        self.sentence = sentence
        super().__init__(**what)


class DraftError(PortalError):
    """An edit or decision that cannot be taken as it was sent."""


class SharingError(PortalError):
    """An answer that cannot be shared as asked."""


class ReceiptError(PortalError):
    """A receipt that cannot be issued."""


class ExportError(PortalError):
    """An answer that cannot be taken away as a file."""


class ReplayError(PortalError):
    """An answer that cannot be made once more, to be compared."""


class ExaminationError(PortalError):
    """A draft that cannot be examined, or something that cannot be done with its findings as it was asked."""


class FeedbackError(PortalError):
    """A judgement of an answer that cannot be kept as it was sent."""


class GapError(PortalError):
    """Something that cannot be done with a gap as it was asked."""


class EvaluationError(PortalError):
    """A question set, a run or a proposed change that cannot be had as it was asked."""


class GateHolds(PortalError):
    """A change that has to pass the workspace's question set before it goes live."""


class ReuseError(PortalError):
    """Something about approved answers that cannot be done as it was asked."""


class TrainingError(PortalError):
    """Something about training sets and fine-tuned models that cannot be done as it was asked."""


class PolicyError(PortalError):
    """A release rule that is none, or a set of rules that cannot be saved as it was sent."""


class TemplateError(PortalError):
    """A template that cannot be used, saved or put in force as it was asked."""


class EndpointError(PortalError):
    """A model endpoint that is not usable as configured."""


class ModelFailed(Exception):
    """A model gave no answer. `status` is the answer's ending, `detail` a sentence for a person.

    `is_about_prompt`: its server is well and takes no such prompt.
    """

    def __init__(self, status: str, detail: str = "", *, is_about_prompt: bool = False) -> None:
        super().__init__(detail or status)
        self.status, self.detail, self.is_about_prompt = status, detail, is_about_prompt


class ModelRefused(ModelFailed):
    """The model policy lets nothing of a call go to an endpoint. `code` says which rule, permanently."""

    def __init__(self, status: str, code: str, detail: str) -> None:
        super().__init__(status, detail)
        self.code = code


class ModelBusy(ModelFailed):
    """A server that says it is asked too often; `after` is how many seconds it wants to be left alone."""

    def __init__(self, status: str, detail: str, *, after: float) -> None:
        super().__init__(status, detail)
        self.after = after


class ModelResting(ModelFailed):
    """An endpoint is left alone for now: it failed too often, or is asked by as many as it takes."""


class BudgetError(PortalError):
    """A budget or a list of stand-ins that cannot be saved as it was sent."""


class Ended(Exception):
    """A pipeline step came to an ending; the remaining steps do not run."""

    def __init__(self, status: str, **details: Any) -> None:
        super().__init__(status)
        self.status, self.details = status, details


class LeaseLost(Exception):
    """Another worker took this answer over; whoever sees this stops and writes nothing."""


class ApprovalGone(LeaseLost):
    """The approved answer that was to be given again stopped standing meanwhile; the question is answered anew."""
