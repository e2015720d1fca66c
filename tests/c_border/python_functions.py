"""Lets functions that the library calls raise everything there is: each must give a code, and the library hear of it."""

import ctypes
import sys

import claimwire as cw


class Unspeakable(Exception):
    def __str__(self):
        raise ValueError("this exception has no text")


class ClosedStream:
    def write(self, text):
        raise OSError("standard error is closed")

    flush = write


RAISED = {
    "KeyboardInterrupt": KeyboardInterrupt(),
    "SystemExit": SystemExit("leaving"),
    "an ordinary exception": KeyError("claim"),
    "one with a lone surrogate": ValueError("file \udc80"),
    "one with a NUL": ValueError("a\0b"),
    "one that has no text": Unspeakable(),
}


def check(what, holds):
    print("  ok  " if holds else "  FAIL", what, flush=True)
    if not holds:
        sys.exit(1)


def loading(raised):
    """What the caller of a case system gets whose function raises."""
    def fails(*_):
        raise raised

    made = [cw.callback(kind)(fails) for kind in (cw.LOAD, cw.OPEN_DOCUMENT, cw.APPLY)]
    functions = cw.CaseSystemFunctions(ctypes.sizeof(cw.CaseSystemFunctions), *made, None)
    with cw.given("case_system", "case_system_new", ctypes.byref(functions), cw.keep(*made), cw.drop) as cases:
        try:
            cw.bytes_of("case_system_load", cases, "ON-INS/C-1")
        except cw.Error as error:
            return error
    return None


def stopping(raised):
    """What the library gets from a watch whose function raises."""
    def progress(count):
        raise raised

    told, sys.stderr = sys.stderr, ClosedStream()
    try:
        return cw.watch(progress).progress(None, 1)
    finally:
        sys.stderr = told


for name, raised in RAISED.items():
    error = loading(raised)
    check(f"a case system that raises {name} fails: {error}", error and error.code == cw.ERR_INTERNAL)
    check(f"a watch that raises {name} stops the work", stopping(raised) == 1)
check("what it says arrives", "file ?" in str(loading(RAISED["one with a lone surrogate"])))
check("what has no text is named", "KeyboardInterrupt" in str(loading(KeyboardInterrupt())))
print("Every function gave a code.")
