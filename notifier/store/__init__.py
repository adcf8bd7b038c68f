"""What we remember: revisions, editions, subscribers, the outbox."""
