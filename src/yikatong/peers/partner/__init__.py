"""Platforms that accept our codes: for demonstrations and tests, never wired to real ones."""
