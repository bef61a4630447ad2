"""A bank that answers over HTTP: for demonstrations and tests, never wired to a real one."""
