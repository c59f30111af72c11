"""What is written to the user's disk. Nothing here has a thread of its own."""
