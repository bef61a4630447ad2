"""What keeps one installation running: the embedded database and the supervisor. No Django."""
