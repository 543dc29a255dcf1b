"""The rulebook as the office keeps it: documents, the draft as rows, checks, cases, publishing."""
