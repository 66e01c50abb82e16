"""Files that a config is written to, and tables that it takes edges from."""
