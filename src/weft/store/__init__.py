"""Where claims are kept: a small protocol, SQLite for servers, memory for tests."""
