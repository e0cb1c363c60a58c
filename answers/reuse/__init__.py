"""Approved answers given again: what counts as the same question, which answers are offered, and to whom."""
