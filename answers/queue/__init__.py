"""What waits for reviewers: its order and claims, what it is narrowed by, saved views, due dates and reminders."""
