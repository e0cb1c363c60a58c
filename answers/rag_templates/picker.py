"""What a person picks from when they ask: the standard, and each other template that is switched on."""

from dataclasses import dataclass

from answers.models import KNOWLEDGE, Conversation, TemplateVersion
from answers.rag_templates import built_in, choosing
from answers.rag_templates.built_in import told
from answers.rag_templates.choosing import STANDARD, Standard
from workspaces.models import Workspace

#: Of each template's examples, how many are offered before the first question; and of all together.
_EXAMPLES_EACH, _EXAMPLES = 1, 6


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of the picker. Names and purposes are for everybody; what it looks at is for who manages."""

    code: str
    name: str
    said: str
    version: TemplateVersion | None


class Picker:
    """The choices of `workspace`, the standard first. One query, none for its standard."""

    def __init__(self, workspace: Workspace) -> None:
        standard = choosing.standard_of(workspace)
        self.choices = [_standard(standard)]
        for version in choosing.offered(workspace):
            if version != standard:
                self.choices.append(Choice(version.template.code, told(version.name), _said(version), version))

    @property
    def is_offered(self) -> bool:
        """Whether there is something to choose."""
        return len(self.choices) > 1

    def of(self, code: str) -> TemplateVersion | Standard | None:
        """What was chosen, by what the picker sent; None for nothing."""
        if code == STANDARD.value:
            return STANDARD
        return next((choice.version for choice in self.choices if choice.code == code), None)

    @property
    def examples(self) -> list[tuple[Choice, str]]:
        """Questions to begin with, each with its template."""
        found = [
            (choice, told(text))
            for choice in self.choices
            if choice.version is not None
            for text in choice.version.examples[:_EXAMPLES_EACH]
        ]
        return found[:_EXAMPLES]

    def remembered(self, conversation: Conversation | None) -> str:
        """The code that stands in the picker of this conversation."""
        kept = conversation.template if conversation is not None and conversation.template_id else None
        codes = {choice.code for choice in self.choices}
        return kept.code if kept is not None and kept.code in codes else STANDARD.value


def _standard(version: TemplateVersion | None) -> Choice:
    if version is None:
        said = built_in.content_of(KNOWLEDGE)
        return Choice(STANDARD.value, told(said.name), told(said.purpose), None)
    return Choice(STANDARD.value, told(version.name), _said(version), version)


def _said(version: TemplateVersion) -> str:
    return " ".join(filter(None, (told(version.purpose), told(version.use_when))))
