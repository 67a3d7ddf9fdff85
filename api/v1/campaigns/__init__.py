"""Routes of campaigns: their life, their versions and the kill switches."""
