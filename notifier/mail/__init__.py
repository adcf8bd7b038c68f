"""How it looks and in what envelope: pure functions from editions to message bytes."""
