"""Questions that found no good answer: gathered, grouped by meaning, closed by a document, their askers told."""
