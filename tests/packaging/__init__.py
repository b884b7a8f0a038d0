"""The package as another project installs it: the engine alone."""
