"""The functions of a kernel, callable from Python."""

import ctypes

from thalweg.native.machine import Linked


class KernelFunctions:
    """The functions of a kernel's machine code. They release the GIL while they run.

    Args:
        code: The machine code.
        wide: Whether `descend` is that of points of many coordinates.
    """

    def __init__(self, code: bytes, *, wide: bool) -> None:
        linked = Linked(code, ("schedule", "descend"))
        whole, pointer, real = ctypes.c_int64, ctypes.c_void_p, ctypes.c_double
        self.schedule = linked.function("schedule", whole, whole, pointer, whole, *[pointer] * 4)
        begin = [*[whole] * 4, *[pointer] * 5, whole, pointer]
        if wide:
            rest = [whole, whole, pointer, whole, whole, whole, real, real, pointer]
        else:
            rest = [*[whole] * 5, *[real] * 2]
        self.descend = linked.function("descend", *begin, *rest)
