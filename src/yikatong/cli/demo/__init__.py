"""The demo province: big enough to be believed, small enough for three minutes. Every person is invented."""
