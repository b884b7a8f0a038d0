"""The parts that the commands share."""
