"""The HTTP interface, the settings and the command line."""
