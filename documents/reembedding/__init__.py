"""Changing a workspace's embedding model: a new space is built beside the old, compared, switched to, the old dropped.

`steering` has the verbs of people, `building` and `comparing` the work in the background, `states` above says what may
follow what (documents/states.py). While any of it goes on, questions are answered in one of the two spaces, whole.
"""
