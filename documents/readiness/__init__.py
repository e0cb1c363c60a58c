"""What of readiness is about documents: the sources they come from, how well they cover, and who they are open to."""

from documents.readiness import connectors, data, rights

__all__ = ["connectors", "data", "rights"]
