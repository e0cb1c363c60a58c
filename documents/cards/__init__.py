"""What is said about a document beside its text: owner, dates, tags, level and the rights in it."""
