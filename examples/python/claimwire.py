"""claimwire's C interface as Python objects: what the examples beside this file need of it, by ctypes alone.

The header include/claimwire.h is the reference; every function of it can be declared as the ones below are. A handle is
ended by `with`, by close(), or with its object; a code other than CW_OK is raised as Error.
"""

import contextlib
import ctypes
import itertools
import json
import os
import sys
import traceback
import weakref
from ctypes import POINTER, byref, c_char_p, c_int32, c_size_t, c_uint32, c_uint64, c_void_p

ERR_INTERNAL, ERR_CANCELLED, ERR_WRONG_KEY, ERR_UNKNOWN_CLAIM, ERR_EXPORT_RULES_VIOLATED = 1, 4, 100, 300, 310
OUTGOING_DELIVERED, OUTGOING_UNPACKED, INCOMING_UNPACKED = 130, 140, 210
ABI_VERSION, PACKAGE_ID_SIZE = 0, 37

_NAMES = {"win32": "claimwire.dll", "darwin": f"libclaimwire.{ABI_VERSION}.dylib"}
_library = ctypes.CDLL(os.environ.get("CLAIMWIRE_LIBRARY", _NAMES.get(sys.platform, f"libclaimwire.so.{ABI_VERSION}")))

_TEXT = (c_void_p, c_size_t)
_HANDLE = c_void_p
_OUT = POINTER(c_void_p)

READ = ctypes.CFUNCTYPE(c_int32, c_void_p, c_void_p, c_size_t, POINTER(c_size_t))
DROP = ctypes.CFUNCTYPE(None, c_void_p)
PROGRESS = ctypes.CFUNCTYPE(c_int32, c_void_p, c_uint64)
EVENT = ctypes.CFUNCTYPE(None, c_void_p, c_void_p)
SECRET = ctypes.CFUNCTYPE(c_int32, c_void_p, c_void_p, c_size_t, c_void_p, c_void_p)
LOAD = ctypes.CFUNCTYPE(c_int32, c_void_p, c_char_p, c_void_p, c_void_p)
OPEN_DOCUMENT = ctypes.CFUNCTYPE(c_int32, c_void_p, c_char_p, c_char_p, c_void_p, c_void_p)
APPLY = ctypes.CFUNCTYPE(c_int32, c_void_p, c_char_p, c_void_p, c_size_t, c_void_p, c_char_p, c_void_p)


class Watch(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("progress", PROGRESS), ("user_data", c_void_p)]


class ExportOptions(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("by", c_char_p), ("by_len", c_size_t),
                ("assessments", c_char_p), ("assessments_len", c_size_t)]


class Secrets(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("secret", SECRET), ("user_data", c_void_p)]


class CaseSystemFunctions(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("load", LOAD), ("open_document", OPEN_DOCUMENT), ("apply", APPLY),
                ("catalogue", c_void_p)]


def _declare(result, **functions):
    # Without argtypes ctypes would pass every number as a C int: a size_t needs its own width.
    for name, arguments in functions.items():
        function = getattr(_library, "cw_" + name)
        function.restype = result
        function.argtypes = [*arguments, _OUT] if result is c_int32 else arguments


# Functions that can fail; their last parameter, the error, is added by _declare.
_declare(
    c_int32,
    age_generate=[_OUT, _OUT],
    sealing_key_age=[*_TEXT, _OUT],
    opening_key_age=[*_TEXT, _OUT],
    encrypt_bytes=[_HANDLE, *_TEXT, _OUT],
    decrypt_bytes=[_HANDLE, *_TEXT, _OUT],
    signing_key_generate=[*_TEXT, _OUT],
    signing_key_verifying_text=[_HANDLE, _OUT],
    secret_set=[_HANDLE, *_TEXT],
    partner_from_json=[*_TEXT, POINTER(Secrets), _HANDLE, _OUT],
    transport_memory=[_HANDLE, _OUT],
    case_system_open=[*_TEXT, *_TEXT, _OUT],
    case_system_new=[POINTER(CaseSystemFunctions), c_void_p, DROP, _OUT],
    case_system_put=[_HANDLE, *_TEXT],
    case_system_add_note=[_HANDLE, *_TEXT, *_TEXT],
    case_system_add_document_file=[_HANDLE, *_TEXT, *_TEXT, *_TEXT, _OUT],
    case_system_load=[_HANDLE, *_TEXT, _OUT],
    claim_file_give=[_HANDLE, *_TEXT],
    document_give_path=[_HANDLE, *_TEXT],
    staged_copy=[_HANDLE, c_size_t, *_TEXT],
    changes_apply=[*_TEXT, *_TEXT, _OUT],
    failure_set=[_HANDLE, c_int32, *_TEXT, c_int32],
    exchange_settings_new=[*_TEXT, *_TEXT, _HANDLE, _HANDLE, _OUT],
    exchange_settings_add_partner=[_HANDLE, _HANDLE],
    exchange_settings_on_event=[_HANDLE, EVENT, c_void_p, DROP],
    exchange_open=[_HANDLE, _OUT],
    exchange_export=[_HANDLE, *_TEXT, *_TEXT, POINTER(ExportOptions), POINTER(Watch), c_char_p, _OUT],
    exchange_send=[_HANDLE, *_TEXT, POINTER(Watch), POINTER(c_int32), _OUT],
    exchange_unpack=[_HANDLE, *_TEXT, *_TEXT, POINTER(Watch), POINTER(c_int32), POINTER(c_int32), _OUT],
    exchange_poll=[_HANDLE, *_TEXT, POINTER(c_int32), _OUT],
    exchange_history=[_HANDLE, *_TEXT, _OUT],
    exchange_verify_history=[_HANDLE, _OUT],
)
_declare(c_char_p, version=[], code_name=[c_int32], error_name=[_HANDLE], error_message=[_HANDLE],
         error_detail=[_HANDLE, c_size_t], signing_key_id=[_HANDLE], event_json=[_HANDLE], staged_sha256=[_HANDLE, c_size_t])
_declare(c_void_p, buffer_data=[_HANDLE])
_declare(c_size_t, buffer_len=[_HANDLE], error_detail_count=[_HANDLE], staged_count=[_HANDLE])
_declare(c_uint32, abi_version=[])
_declare(None, **{name + "_free": [_HANDLE] for name in (
    "buffer", "error", "sealing_key", "opening_key", "signing_key", "partner", "transport", "case_system",
    "exchange_settings", "exchange")})

if _library.cw_abi_version() != ABI_VERSION:
    raise ImportError(f"claimwire {_library.cw_version().decode()} has another C interface than this module")


class Error(Exception):
    """What a function of the library failed with: `code` for programs, a sentence for people, a line per fault."""

    def __init__(self, code, error):
        self.code = code
        self.name = _library.cw_code_name(code).decode()
        self.details = [_library.cw_error_detail(error, i).decode() for i in range(_library.cw_error_detail_count(error))]
        super().__init__("\n  - ".join([_library.cw_error_message(error).decode(), *self.details]))


def call(name, *arguments):
    """Calls cw_NAME. A str or bytes is passed as a pointer and a length, a Handle as its pointer."""
    passed, error = [], c_void_p()
    for argument in arguments:
        if isinstance(argument, (str, bytes)):
            data = argument.encode() if isinstance(argument, str) else argument
            passed += [data, len(data)]
        else:
            passed.append(argument.pointer if isinstance(argument, Handle) else argument)
    code = getattr(_library, "cw_" + name)(*passed, byref(error))
    if code != 0:
        try:
            raise Error(code, error)
        finally:
            _library.cw_error_free(error)


def given(kind, name, *arguments):
    """Calls cw_NAME, whose last `out` gives a handle, which is ended by cw_KIND_free."""
    out = c_void_p()
    call(name, *arguments, byref(out))
    return Handle(kind, out.value)


def bytes_of(name, *arguments):
    """Calls cw_NAME, whose last `out` gives a buffer, and copies the bytes out of it."""
    with given("buffer", name, *arguments) as buffer:
        return buffer.bytes()


def json_of(name, *arguments):
    return json.loads(bytes_of(name, *arguments))


class Handle:
    """A handle of the library's, which is ended exactly once: by close(), by `with`, or when nobody holds it any more."""

    def __init__(self, kind, pointer):
        self.pointer = pointer
        self._end = weakref.finalize(self, getattr(_library, f"cw_{kind}_free"), pointer)

    def text(self):
        """Where this is a buffer: its pointer and length, for a call that reads it. A secret is never copied so."""
        return _library.cw_buffer_data(self.pointer), _library.cw_buffer_len(self.pointer)

    def bytes(self):
        return ctypes.string_at(*self.text())

    def close(self):
        self._end()
        self.pointer = None

    def consumed(self):
        """The pointer, for a call that consumes the handle: it is no longer ours to end."""
        self._end.detach()
        return self.pointer

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# Functions that the library keeps must live until it calls `drop`: what stands here is reached by no garbage collector.
_kept = {}
_keys = itertools.count(1)


def keep(*functions):
    """Keeps functions alive for the library; gives the user_data that goes with them and DROP."""
    key = next(_keys)
    _kept[key] = functions
    return key


@DROP
def drop(key):
    del _kept[key]


def callback(kind):
    """Makes a C function of a Python one that gets all arguments but user_data, the last one being a cw_failure.

    No exception may leave it, KeyboardInterrupt and SystemExit neither: ctypes would print it, and what C then gets as the
    code is undefined.
    """
    def wrap(function):
        def guarded(_, *arguments):
            try:
                function(*arguments)
                return 0
            except BaseException as error:
                code = error.code if isinstance(error, Error) else ERR_INTERNAL
                # The code counts, also where the words for it cannot be had.
                with contextlib.suppress(BaseException):
                    said = str(error) or type(error).__name__
                    call("failure_set", arguments[-1], code, said.encode(errors="replace"), -1)
                return code
        return kind(guarded)
    return wrap


def event_json(event):
    return json.loads(_library.cw_event_json(event))


def watch(progress):
    """A cw_watch that tells progress(bytes); true, or an exception, stops the work. Passed by byref(), for one call."""
    def told(_, count):
        try:
            return int(bool(progress(count)))
        except BaseException:
            with contextlib.suppress(BaseException):
                traceback.print_exc()
            return 1
    return Watch(ctypes.sizeof(Watch), PROGRESS(told), None)


def staged(documents):
    """The index and SHA-256 of each document that a set of changes brings."""
    return [(i, _library.cw_staged_sha256(documents, i).decode()) for i in range(_library.cw_staged_count(documents))]


def signing_key_id(key):
    return _library.cw_signing_key_id(key.pointer).decode()
