"""In figures: the name of a month would have to stand in the genitive, and Django has no such names."""

DATE_FORMAT = SHORT_DATE_FORMAT = "j.n.Y."
DATETIME_FORMAT = SHORT_DATETIME_FORMAT = "j.n.Y. H:i"
