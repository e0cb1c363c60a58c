"""Putting what a search found in a better order by a reranker."""
