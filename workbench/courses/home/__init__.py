"""What people take home: completion records, their own bundle, everybody's work in one archive, a report of counts."""

from .collect import collect

__all__ = ["collect"]
