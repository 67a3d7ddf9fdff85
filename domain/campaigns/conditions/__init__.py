"""Conditions of campaigns: a typed tree over published fields, read, checked and evaluated."""
