"""GAN-808: a drum machine whose sounds never run out."""

__version__ = "0.2.0"
