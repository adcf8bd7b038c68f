"""Scheduled newsletters and event notices, with calendar files, from events kept as files."""

__version__ = "0.1.0"
