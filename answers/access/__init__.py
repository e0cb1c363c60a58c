"""Who reads an answer beside its asker: sharing, declassification, and the page that says who and why."""
