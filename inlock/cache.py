"""What the cache keeps is JSON: whoever can write to the broker must not be able to run code here, as with pickle."""

import json
from typing import Any


class JSONSerializer:
    """For Django's Redis cache. Integers stay plain, so that Redis can count them."""

    def dumps(self, value: Any) -> int | bytes:
        return value if type(value) is int else json.dumps(value).encode()

    def loads(self, stored: bytes) -> Any:
        return json.loads(stored)
