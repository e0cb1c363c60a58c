"""What an answer stands on: `record.py` gathers it, `page.py` tells it, `receipts.py` signs it."""
