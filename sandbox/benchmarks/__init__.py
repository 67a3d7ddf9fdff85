"""What `referrals bench` measures, and the floors that it measures beside."""
