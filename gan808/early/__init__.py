"""The first note before Python's libraries are loaded.

On JACK a start needs little: the compiled callbacks, the sounds of the slots, two clients. A run
that is up keeps all of it in one file, the *image*; the next start with the same files and options
reads it, plays, and only then imports the rest, which adopts the memory and the clients while they
sound. Nothing here imports more than a few small modules of the standard library, but for
making.py, which makes the image.
"""
