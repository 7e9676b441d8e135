"""The functions of machine code, callable from Python and from each other."""

import ctypes
from typing import Any

from thalweg.native.machine import Linked


class KernelFunctions:
    """The functions of a kernel's machine code. They release the GIL while they run.

    Args:
        code: The machine code.
        wide: Whether `descend` is that of points of many coordinates.
        tabulates: Whether there is a function `tabulate`.
    """

    def __init__(self, code: bytes, *, wide: bool, tabulates: bool = False) -> None:
        linked = Linked(code, ("schedule", "descend", *(["tabulate"] if tabulates else [])))
        whole, pointer, real = ctypes.c_int64, ctypes.c_void_p, ctypes.c_double
        self.schedule = linked.function("schedule", whole, whole, pointer, whole, *[pointer] * 4)
        begin = [*[whole] * 4, *[pointer] * 6, whole, pointer]
        if wide:
            rest = [whole, whole, pointer, whole, whole, whole, real, real, pointer]
        else:
            begin[-2:-2] = [pointer] * 2
            rest = [*[whole] * 5, *[real] * 2]
        self.descend = linked.function("descend", *begin, *rest)
        if tabulates:
            self.tabulate = linked.function("tabulate", *[whole] * 4, *[pointer] * 4)


class LbfgsFunction:
    """The function `descend` of native LBFGS. It releases the GIL while it runs."""

    def __init__(self, code: bytes, _about: dict[str, Any]) -> None:
        whole, pointer = ctypes.c_int64, ctypes.c_void_p
        self.descend = Linked(code, ("descend",)).function("descend", whole, whole, pointer, pointer)


class EvaluateFunction:
    """The function `evaluate` of an objective, for native code to call; it needs scratch of `scratch_bytes`."""

    def __init__(self, code: bytes, about: dict[str, Any]) -> None:
        self.scratch_bytes: int = about["scratch_bytes"]
        self._linked = Linked(code, ("evaluate",))
        self.address = self._linked.address("evaluate")
