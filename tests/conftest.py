"""For every test: how long hypothesis searches. `make fuzz` chooses the profile `long`, `make gates` its own."""

import os

from hypothesis import settings

# No deadline: how long one example takes says something about the machine, not about the code.
settings.register_profile("usual", deadline=None)
settings.register_profile("long", deadline=None, max_examples=20_000)
settings.register_profile("gates", deadline=None, max_examples=1_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))
