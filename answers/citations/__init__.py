"""Citations: the marks in a text, the quotes they stand on, and the page of one.

`marks.py` finds and puts marks, `quotes.py` says what became of a quote, `carrying.py` takes it to a newer version.
"""
