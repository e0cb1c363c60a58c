"""Take an answer away as a file: `take.py` is the verb, `content.py` what is told; one module writes each format."""
