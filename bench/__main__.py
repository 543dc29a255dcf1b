"""All measurements, one after the other: ``python -m bench``."""

from bench import posting

if __name__ == "__main__":
    posting.main()
