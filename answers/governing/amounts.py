"""What a call comes to in tokens and money: at most before it goes out, and as it was afterwards.

A token of any tokenizer holds at least one byte, so a text has no more tokens than bytes; four bytes to a token is
what texts commonly come to, and what is counted where a server does not tell.
"""

from dataclasses import dataclass
from decimal import Decimal

from answers.models import ModelEndpoint
from answers.prompts import Prompt

#: What a server puts around the two messages of a prompt, at most.
_AROUND = 64
_BYTES_A_TOKEN = 4
_MILLION = 1_000_000
_SMALLEST = Decimal("0.00000001")


@dataclass(frozen=True, slots=True)
class Amount:
    """Tokens read and written; `cost` is None where nobody said what the model costs."""

    input: int
    output: int
    cost: Decimal | None

    @property
    def tokens(self) -> int:
        return self.input + self.output


def of(endpoint: ModelEndpoint, read: int, written: int) -> Amount:
    """So many tokens at the endpoint's prices."""
    if endpoint.input_price is None or endpoint.output_price is None:
        return Amount(read, written, None)
    cost = (read * endpoint.input_price + written * endpoint.output_price) / _MILLION
    return Amount(read, written, cost.quantize(_SMALLEST))


def of_training(endpoint: ModelEndpoint, tokens: int) -> Amount:
    """So many tokens trained on at the endpoint's price of these."""
    if endpoint.training_price is None:
        return Amount(tokens, 0, None)
    return Amount(tokens, 0, (tokens * endpoint.training_price / _MILLION).quantize(_SMALLEST))


def most(endpoint: ModelEndpoint, prompt: Prompt) -> Amount:
    """What the call can come to at most, if the server keeps to the length it is told."""
    return of(endpoint, _bytes(prompt.system) + _bytes(prompt.question) + _AROUND, endpoint.max_output_tokens)


def estimated(prompt: Prompt) -> int:
    """Tokens of the prompt, where the server told none."""
    return tokens_in(prompt.system) + tokens_in(prompt.question)


def tokens_in(text: str) -> int:
    """Tokens of a text, by its length."""
    return -(-_bytes(text) // _BYTES_A_TOKEN)


def _bytes(text: str) -> int:
    return len(text.encode(errors="replace"))
