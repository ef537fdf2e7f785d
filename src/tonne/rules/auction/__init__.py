"""What is sold, how, and at what price."""
