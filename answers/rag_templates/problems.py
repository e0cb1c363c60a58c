"""What keeps a template that is switched on from answering, in sentences for who manages the workspace."""

from django.utils.translation import gettext as _

from answers import endpoints
from answers.exceptions import EndpointError, TemplateError
from answers.models import RagTemplate
from answers.rag_templates import filters
from workspaces.models import Workspace


def problems_of(workspace: Workspace, *, only: RagTemplate | None = None) -> list[str]:
    """One sentence for each thing that is wrong, of all templates or of `only` one; empty when all can answer."""
    rows = RagTemplate.objects.filter(workspace=workspace, enabled=True).select_related("current__endpoint")
    if only is not None:
        rows = rows.filter(pk=only.pk)
    try:
        offered = endpoints.choices_for(workspace)
    except EndpointError as error:
        return [str(error)]
    found = []
    for template in rows:
        version = template.current
        if version is None:
            continue
        if version.endpoint is not None and version.endpoint not in offered:
            found.append(
                _("“%(name)s” wants the model “%(model)s”, which this workspace does not offer.")
                % {"name": version.name, "model": version.endpoint.name}
            )
        try:
            matching = filters.matching(filters.read(version.filters), workspace)
        except TemplateError as error:
            found.append(f"“{version.name}”: {error}")
            continue
        if version.filters and not matching:
            found.append(_("“%(name)s” looks at documents of which there are none.") % {"name": version.name})
    return found
