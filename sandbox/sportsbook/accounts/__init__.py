"""The sportsbook's account service: the wallet that holds the players' balances."""
