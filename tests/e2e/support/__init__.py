"""What the end-to-end tests are made of: processes, databases, writers, and ways to wait and compare."""
