"""Precedents: from a description or a document to similar documents that a person may open, and why they match.

`finding.py` compares, `views.py` is the page. Nothing that is brought is kept: the trail has its hash.
"""
