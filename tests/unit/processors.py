"""Machine code as other processors would have it, which this one can run."""

import llvmlite.binding as llvm

from thalweg.native import machine


def compiled_for(processor: str, assembly: str) -> bytes:
    """Return the machine code of a module for a kind of processor."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple().create_target_machine(cpu=processor, opt=2, reloc="pic")
    parsed = llvm.parse_assembly(assembly)
    builder = llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options(speed_level=2))
    builder.getModulePassManager().run(parsed, builder)
    code: bytes = target.emit_object(parsed)
    return code


def other_processors() -> list[str]:
    """Return kinds without AVX-512, without fused products, and without AVX, where this one is of their family."""
    return ["x86-64-v3", "x86-64-v2", "x86-64"] if machine.has_features(("avx2", "fma")) else []
