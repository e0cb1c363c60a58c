"""What changed between two versions of a document: `differences.py` compares, `page.py` is what a person sees."""
