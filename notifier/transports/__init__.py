"""The wire: what carries a message, and what the other side answered."""
