"""The engine's texts, in both languages. Keys are ``noun.what``."""

from engine.language import Catalogue, register

TEXTS: Catalogue = {}

register(TEXTS)
