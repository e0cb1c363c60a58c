"""Asking as a conversation: the page, its turns, the answers as cards, and what readers say of them.

`conversations.py` has the verbs of their owner, `threads.py` is one as its page shows it, `cards.py` an answer on it,
`followups.py` and `earlier_turns.py` are what the pipeline reads of the turns before.
"""
