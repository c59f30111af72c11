"""Latent to waveform. The only runtime code that imports TensorFlow, and only when it renders."""

import os

# TensorFlow reads this when it is imported; its start-up notes are not for a player's terminal.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
