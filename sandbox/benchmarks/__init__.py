"""The measurements of `referrals bench`, and the floors that they are compared with."""
