"""The errors GAN-808 raises on purpose: one readable line each, what, where, what to do."""


class Gan808Error(Exception):
    """Root of every expected failure; its message is one line for the user."""


class ConfigError(Gan808Error):
    """A setting, a pattern file or a command-line value that is not accepted."""


class KitError(Gan808Error):
    """A kit that is missing, damaged or of another format."""


class DeviceError(Gan808Error):
    """An audio, MIDI or network device that is missing, ambiguous or went away."""


class RenderError(Gan808Error):
    """The render process failed or answered with something unusable."""


class CorpusError(Gan808Error):
    """A source of training sounds with nothing usable in it."""


class TrainingError(Gan808Error):
    """A training run that cannot start, resume or go on."""
