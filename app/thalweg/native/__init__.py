"""Native code: functions of LLVM assembly built line by line, compiled for this processor, and loaded."""
