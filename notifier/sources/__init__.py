"""Where events come from: bytes -> Reading(events, problems)."""
