"""The demo: an invented company's documents, people and questions."""
