"""What happens: events as values, without any input or output."""
