"""The page of one document, and places in its text.

`reading.py` is what a person sees, `leaves.py` cuts a version into screens, `blocks.py` draws one, `places.py` leads
from a place to the next; `slides.py` and `scans.py` serve what is looked at as a picture.
"""
