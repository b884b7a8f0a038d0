"""What a project has called before and after the runs of its domains."""
