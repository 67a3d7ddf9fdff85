"""The player's own page, to be embedded in the sportsbook's: code, friends, rewards."""
