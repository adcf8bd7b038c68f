"""What we say, and when: pure planning of editions."""
