"""`python -m cli`: the command `referrals` where it is not installed."""

from cli import main

main()
