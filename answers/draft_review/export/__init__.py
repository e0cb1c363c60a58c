"""Take an examined draft away as a file: `take.py` is the verb; one module writes each format."""
