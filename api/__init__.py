"""The HTTP interface, the settings and the command line."""

import os

from api import texts as _texts  # noqa: F401  (registers the catalogue)

# The ORM finds its engine through this name, whichever of our modules asks first.
os.environ["PICCOLO_CONF"] = "api.piccolo_conf"
