"""Who has agreed to hear it."""
