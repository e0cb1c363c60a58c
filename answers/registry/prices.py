"""What a model costs, in the installation's currency."""

from decimal import Decimal

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import gettext

from answers.models import ModelEndpoint


def price_of(endpoint: ModelEndpoint) -> str:
    """The prices of a million tokens, read and written, as a person reads them."""
    read, written = endpoint.input_price, endpoint.output_price
    if read is None or written is None:
        return gettext("not known")
    if not read and not written:
        return gettext("nothing")
    return gettext("%(read)s read, %(written)s written, %(currency)s") % {
        "read": _figure(read),
        "written": _figure(written),
        "currency": settings.CURRENCY,
    }


def _figure(price: Decimal) -> str:
    """With two places, or as many more as it has."""
    places = max(2, -int(price.normalize().as_tuple().exponent))
    return number_format(price, decimal_pos=places)
