"""The office's panel and pages."""
