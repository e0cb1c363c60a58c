"""Prove in a signed document that entries are in a chain: the common part of receipts of answers and of deletions."""

import logging
from typing import Any

from django.utils.translation import gettext as _

from audit import checkpoints, signing
from audit.exceptions import AuditError, NotIncluded, Unprovable
from audit.inclusion import Inclusion
from audit.models import Checkpoint, Event

logger = logging.getLogger(__name__)


class Prover:
    """Proves that entries are in a chain, against one checkpoint that covers them.

    One prover serves as many receipts as there are. Raises Unprovable when the chain cannot be signed.
    """

    def __init__(self, chain: str, *, upto: int) -> None:
        self.checkpoint = _covering(chain, upto)
        self.inclusion = Inclusion(self.checkpoint)

    def event(self, event: Event) -> dict[str, Any]:
        """The entry's exact content, and its way up to the signed root. Raises Unprovable if there is none."""
        try:
            path = self.inclusion.path(event.seq, event.body)
        except NotIncluded as error:
            logger.error("No receipt from %s: %s", self.checkpoint.chain, error)  # noqa: TRY400 (the sentence says it all)
            raise Unprovable from error
        return {"seq": event.seq, "body": event.body, "path": [node.hex() for node in path]}

    def proof(self, events: list[Event]) -> dict[str, Any]:
        """The last part of a receipt: the entries, and the checkpoint they lead to."""
        return {
            "events": [self.event(event) for event in events],
            "checkpoint": signing.as_data(self.checkpoint.document),
        }


def _covering(chain: str, seq: int) -> Checkpoint:
    """The newest checkpoint of `chain`; a new one where that does not cover entry `seq`, or is under a former key.

    A reader who was given one public key can then check the receipt and its checkpoint with it.
    """
    newest = Checkpoint.objects.filter(chain=chain).order_by("-seq").first()
    try:
        if newest is None or newest.seq < seq or newest.key != signing.current_key().public:
            newest = checkpoints.make(chain) or newest
    except (AuditError, OSError) as error:
        logger.error("No receipt from %s: %s", chain, error)  # noqa: TRY400 (the sentence says it all)
        raise Unprovable from error
    if newest is None or newest.seq < seq:
        raise Unprovable(_("The trail has no entry %(seq)d that could be proven.") % {"seq": seq})
    return newest
