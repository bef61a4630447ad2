"""Departments that answer over HTTP: for demonstrations and tests, never wired to real ones."""
