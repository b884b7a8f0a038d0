"""What someone else gets from this repository: the engine alone, working in their project."""
