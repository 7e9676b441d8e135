"""Why a request body is not valid JSON, in a sentence."""

import codecs

MOST_DIGITS = 4300
MOST_DEPTH = 200

_GZIP = b"\x1f\x8b"
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def complaint(body: bytes | bytearray, error: ValueError) -> str:
    """Return what is wrong with a body, and where, given the error of pydantic's JSON parser."""
    if body.startswith(_GZIP):
        return "the body is compressed with gzip, which is not supported: send it uncompressed"
    if body.startswith(_MARKS):
        return "the body begins with a byte order mark: send UTF-8 without one"
    try:
        body.decode()
    except UnicodeDecodeError as wrong:
        byte = body[wrong.start]
        return f"the body is not UTF-8: byte {wrong.start} ({byte:#04x}) is invalid. Encode the JSON as UTF-8"
    reason, _, place = str(error).partition(" at ")
    match reason:
        case "number out of range":
            return f"a number is too long, at {place}: it has more than {MOST_DIGITS} digits"
        case "recursion limit exceeded":
            return f"nested too deeply, at {place}: lists and objects may be nested {MOST_DEPTH} levels deep"
    return f"malformed JSON: {error}"
