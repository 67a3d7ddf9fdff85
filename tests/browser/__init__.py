"""The page of an invitation in a real browser."""
