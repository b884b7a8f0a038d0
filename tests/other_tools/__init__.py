"""Real runs of other migration tools, whose histories are then read. Run: nox -s other_tools"""
