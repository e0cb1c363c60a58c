"""Breaking the glass: a superuser's stated reason, and the page on which it is stated."""
