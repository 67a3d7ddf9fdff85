"""The builder: a campaign's offer as a form, and a proposal made of it."""
