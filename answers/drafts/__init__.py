"""A draft as reviewers see it: its page, its sources, its forms over time, and what they say to each other."""
