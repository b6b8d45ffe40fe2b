"""What the tests of all rooms use."""
