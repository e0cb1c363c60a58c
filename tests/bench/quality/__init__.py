"""How right the product is, on public collections: what it finds, what it refuses, and what its answers rest on."""
