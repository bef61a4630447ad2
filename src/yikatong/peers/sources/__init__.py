"""The departments' registers, answering over HTTP: for demonstrations and tests, never wired to real ones."""
