"""Access of people to the console: who they are, what they may do, and their sessions."""
