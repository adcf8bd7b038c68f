"""The pages that mails point to."""
