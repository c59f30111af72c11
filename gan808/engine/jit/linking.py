"""Object code made ready to run, through the few functions of libllvmlite that this takes.

llvmlite.binding does the same, but looks through every installed package and parses regular
expressions on the way: a twentieth of a second before the first note. The calls here are those its
`create_mcjit_compiler` and `targets` make. Imports next to nothing. One thread at a time; native.py
and the early start, which never load at once, are who calls.
"""

from __future__ import annotations

import ctypes
import os
import sys

TYPE_CHECKING = False  # typing's own would bring regular expressions along
if TYPE_CHECKING:
    from typing import Any

LIBRARY = "libllvmlite.so"
_POINTER, _TEXT, _INT = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
_OUT = ctypes.POINTER(_POINTER)
# name: (result, arguments)
_PROTOTYPES: dict[str, tuple[Any, list[Any]]] = {
    "LLVMPY_GetVersionInfo": (ctypes.c_uint, []),
    "LLVMPY_GetProcessTriple": (None, [_OUT]),
    "LLVMPY_GetHostCPUName": (None, [_OUT]),
    "LLVMPY_GetHostCPUFeatures": (_INT, [_OUT]),
    "LLVMPY_DisposeString": (None, [_POINTER]),
    "LLVMPY_InitializeNativeTarget": (None, []),
    "LLVMPY_InitializeNativeAsmPrinter": (None, []),
    "LLVMPY_GetTargetFromTriple": (_POINTER, [_TEXT, _OUT]),
    "LLVMPY_CreateTargetMachine": (_POINTER, [_POINTER, _TEXT, _TEXT, _TEXT, _INT, _TEXT, _TEXT,
                                              _INT, _INT, _TEXT]),
    "LLVMPY_GetGlobalContext": (_POINTER, []),
    "LLVMPY_ParseAssembly": (_POINTER, [_POINTER, _TEXT, _OUT]),
    "LLVMPY_CreateMCJITCompiler": (_POINTER, [_POINTER, _POINTER, ctypes.c_bool, _OUT]),
    "LLVMPY_CreateObjectFile": (_POINTER, [_TEXT, ctypes.c_size_t]),
    "LLVMPY_MCJITAddObjectFile": (None, [_POINTER, _POINTER]),
    "LLVMPY_FinalizeObject": (None, [_POINTER]),
    "LLVMPY_GetFunctionAddress": (ctypes.c_uint64, [_POINTER, _TEXT]),
}


class LinkError(Exception):
    """libllvmlite is not there, or not as it is known here; llvmlite.binding knows it."""


class Linker:
    """libllvmlite with its functions typed. What it links stays in memory for ever."""

    def __init__(self, path: str) -> None:
        """Raises LinkError where a function is missing."""
        try:
            self._library: Any = ctypes.CDLL(path)
            for name, (result, arguments) in _PROTOTYPES.items():
                function = getattr(self._library, name)
                function.restype, function.argtypes = result, arguments
        except (OSError, AttributeError) as error:
            raise LinkError(str(error)) from error
        self.path = path

    @property
    def version(self) -> tuple[int, ...]:
        """LLVM's."""
        packed = self._library.LLVMPY_GetVersionInfo()
        return tuple(packed.to_bytes(4, "big").lstrip(b"\0"))

    @property
    def triple(self) -> str:
        """What this process runs on, as LLVM says it."""
        return self._told(self._library.LLVMPY_GetProcessTriple)

    @property
    def processor(self) -> str:
        """The processor's name."""
        return self._told(self._library.LLVMPY_GetHostCPUName)

    @property
    def features(self) -> str:
        """What the processor can and cannot, `+avx,-sse4a`, in order."""
        told = self._told(self._library.LLVMPY_GetHostCPUFeatures)
        return ",".join(sorted(filter(None, told.split(",")), key=lambda feature: feature[1:]))

    def addresses(self, code: bytes, symbols: dict[str, str]) -> dict[str, int]:
        """Links relocatable code and gives the address of each of its symbols, {name: symbol}.

        Raises LinkError when there is nothing to link it with.
        """
        library, empty = self._library, ctypes.byref(_POINTER())
        library.LLVMPY_InitializeNativeTarget()
        library.LLVMPY_InitializeNativeAsmPrinter()
        triple = self.triple.encode()
        target = library.LLVMPY_GetTargetFromTriple(triple, empty)
        machine = target and library.LLVMPY_CreateTargetMachine(
            target, triple, self.processor.encode(), self.features.encode(), 3, b"default",
            b"jitdefault", 0, 1, b"")
        module = library.LLVMPY_ParseAssembly(library.LLVMPY_GetGlobalContext(), b"", empty)
        own_memory = os.uname().machine in ("arm64", "aarch64")  # as llvmlite chooses
        engine = machine and module and library.LLVMPY_CreateMCJITCompiler(
            module, machine, own_memory, empty)
        whole = engine and library.LLVMPY_CreateObjectFile(code, len(code))
        if not whole:
            raise LinkError("LLVM cannot link here")
        library.LLVMPY_MCJITAddObjectFile(engine, whole)
        library.LLVMPY_FinalizeObject(engine)
        return {name: int(library.LLVMPY_GetFunctionAddress(engine, symbol.encode()))
                for name, symbol in symbols.items()}

    def _told(self, function: Any) -> str:
        text = _POINTER()
        function(ctypes.byref(text))
        if not text:
            return ""
        told = ctypes.string_at(text.value or 0).decode()
        self._library.LLVMPY_DisposeString(text)
        return told


def library_path() -> str | None:
    """Where libllvmlite is, found without importing llvmlite; None where it is not known."""
    if sys.platform != "linux":
        return None
    for folder in sys.path:
        path = f"{folder or '.'}/llvmlite/binding/{LIBRARY}"
        if os.path.isfile(path):  # noqa: PTH113 - pathlib is not loaded here
            return path
    return None
