"""GAN-808: a drum machine whose sounds never run out."""

__version__ = "0.1.0"
