"""One file a revision, counted from 0001; the newest is `schema.HEAD`."""
