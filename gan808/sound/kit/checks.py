"""Reads the files of a kit that may come from anybody. Kind and size of each are checked before it
is read.

Any thread. Whatever is wrong is a KitError that names the file.
"""

from __future__ import annotations

import os
import stat
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from gan808.errors import KitError
from gan808.toml_json import from_json, from_toml

MAX_MANIFEST_BYTES = 1 << 20
MAX_HEADER_BYTES = 1 << 20
MAX_VALUES = 1_000_000
WEIGHT_DTYPE = "F16"


def read_manifest(path: Path) -> dict[str, Any]:
    """The tables of a kit.toml, unchecked. Raises FileNotFoundError or KitError."""
    try:
        with _opened(path) as file:
            text = file.read(MAX_MANIFEST_BYTES + 1)
        if len(text) > MAX_MANIFEST_BYTES:
            raise KitError(f"{path}: larger than a manifest can be")
        return from_toml(text.decode("utf-8-sig"))
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise KitError(f"{path}: cannot be read ({error})") from error


def read_arrays(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """The arrays of an .npz as float32. shapes: what each must have; 0 stands for any number, up to
    MAX_VALUES in all. What an archive declares is compared with that before one number is read.
    Raises KitError."""
    try:
        with _opened(path) as file, zipfile.ZipFile(file) as archive:
            return {name: _array(archive, name, shape, path) for name, shape in shapes.items()}
    # RuntimeError: packed in a way this Python cannot unpack, or encrypted.
    except (OSError, KeyError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile,
            zlib.error, tokenize.TokenError) as error:
        raise KitError(f"{path}: cannot be read ({error})") from error


def check_weights(path: Path) -> None:
    """Whether weights.safetensors holds float16 numbers as long as it says; reads its header only.
    Raises KitError."""
    try:
        with _opened(path) as file:
            size = os.fstat(file.fileno()).st_size
            length = int.from_bytes(file.read(8), "little")
            if not 0 < length <= min(MAX_HEADER_BYTES, size - 8):
                raise ValueError("its header is damaged")
            header = from_json(file.read(length))
            tensors = {name: entry for name, entry in header.items() if name != "__metadata__"}
            for name, entry in tensors.items():
                if entry["dtype"] != WEIGHT_DTYPE:
                    raise ValueError(f"{name} is {entry['dtype']}, a kit's weights are "
                                     f"{WEIGHT_DTYPE}")
            ends = [entry["data_offsets"][1] for entry in tensors.values()]
        if 8 + length + max(ends, default=0) != size:
            raise ValueError("it is cut short, or longer than its header says")
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise KitError(f"{path}: cannot be read ({error})") from error


def _opened(path: Path) -> IO[bytes]:
    """A regular file, opened; never a FIFO or a device behind a link, which have no end or no
    beginning. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)
                         | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("it is no ordinary file")
    return os.fdopen(descriptor, "rb")


def _array(archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], path: Path) -> np.ndarray:
    with archive.open(f"{name}.npy") as file:
        version = np.lib.format.read_magic(file)
        read_header = {(1, 0): np.lib.format.read_array_header_1_0,
                       (2, 0): np.lib.format.read_array_header_2_0}.get(version)
        if read_header is None:
            raise ValueError(f"{name} is of an unknown form")
        there, fortran, dtype = read_header(file)
        fits = len(there) == len(shape) and all(
            has == wanted or (wanted == 0 and 0 < has <= MAX_VALUES // max(shape))
            for has, wanted in zip(there, shape, strict=True))
        if not fits:
            raise KitError(f"{path}: its shapes do not fit kit.toml")
        if dtype.kind != "f" or fortran:
            raise ValueError(f"{name} holds no plain numbers")
        n_bytes = dtype.itemsize * int(np.prod(there))
        data = file.read(n_bytes)
        if len(data) != n_bytes:
            raise EOFError(f"{name} is cut short")
    return np.frombuffer(data, dtype).reshape(there).astype(np.float32)
