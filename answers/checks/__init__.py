"""How sure a workspace wants to be before an answer is written, and who judges it afterwards."""
