"""One act on many documents: `orders.py` has the verbs, the other modules what Django and Celery ask for."""
