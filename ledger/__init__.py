"""What happened: events, entries and acts, recorded once and never changed."""
