// claimwire's C interface for .NET, by P/Invoke: what TwoSites.cs needs of it. The header include/claimwire.h is the
// reference; every function of it can be declared as those of C are.

using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;

namespace Claimwire
{
    public static class Codes
    {
        public const int Internal = 1, Cancelled = 4, ExportRulesViolated = 310;
        public const int OutgoingDelivered = 130, OutgoingUnpacked = 140, IncomingUnpacked = 210, EventNewPackage = 100;
        public const int PackageIdSize = 37;
    }

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    public delegate void EventFn(IntPtr userData, IntPtr told);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    public delegate int ProgressFn(IntPtr userData, ulong bytes);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    public delegate int SecretFn(IntPtr userData, IntPtr name, UIntPtr nameLen, IntPtr secret, IntPtr failure);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    public delegate void DropFn(IntPtr userData);

    // C's structs have the fields of these, with the padding of the platform: Sequential gives both.
    [StructLayout(LayoutKind.Sequential)]
    public struct Watch
    {
        public UIntPtr StructSize;
        public ProgressFn Progress;
        public IntPtr UserData;

        public Watch(ProgressFn progress)
        {
            StructSize = new UIntPtr((uint)Marshal.SizeOf(typeof(Watch)));
            Progress = progress;
            UserData = IntPtr.Zero;
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct Secrets
    {
        public UIntPtr StructSize;
        public SecretFn Secret;
        public IntPtr UserData;

        public Secrets(SecretFn secret)
        {
            StructSize = new UIntPtr((uint)Marshal.SizeOf(typeof(Secrets)));
            Secret = secret;
            UserData = IntPtr.Zero;
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct ExportOptions
    {
        public UIntPtr StructSize;
        public IntPtr By;
        public UIntPtr ByLen;
        public IntPtr Assessments;
        public UIntPtr AssessmentsLen;
    }

    /// The functions, under their C names. A SafeHandle that is passed is not ended while the call runs.
    public static class C
    {
        const string Library = "claimwire";
        const CallingConvention Cdecl = CallingConvention.Cdecl;

        [DllImport(Library, CallingConvention = Cdecl)] public static extern uint cw_abi_version();
        [DllImport(Library, CallingConvention = Cdecl)] public static extern IntPtr cw_code_name(int code);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern IntPtr cw_error_message(IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_error_is_retryable(IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern UIntPtr cw_error_detail_count(IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern IntPtr cw_error_detail(IntPtr error, UIntPtr index);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern void cw_error_free(IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern IntPtr cw_buffer_data(Handle buffer);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern UIntPtr cw_buffer_len(Handle buffer);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern void cw_buffer_free(IntPtr buffer);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_json_get(byte[] json, UIntPtr jsonLen, byte[] at, UIntPtr atLen, out IntPtr value, out IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_age_generate(out IntPtr identity, out IntPtr recipient, out IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_sealing_key_age(IntPtr recipients, UIntPtr len, out IntPtr key, out IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern void cw_sealing_key_free(IntPtr key);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_opening_key_age(IntPtr identity, UIntPtr len, out IntPtr key, out IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern void cw_opening_key_free(IntPtr key);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_encrypt_bytes(Handle key, byte[] plain, UIntPtr len, out IntPtr sealedBytes, out IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_decrypt_bytes(Handle key, byte[] sealedBytes, UIntPtr len, out IntPtr plain, out IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_signing_key_generate(byte[] id, UIntPtr len, out IntPtr key, out IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_signing_key_verifying_text(Handle key, out IntPtr text, out IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern void cw_signing_key_free(IntPtr key);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_secret_set(IntPtr secret, IntPtr value, UIntPtr len, out IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_failure_set(IntPtr failure, int code, byte[] message, UIntPtr len, int retryable, IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_partner_from_json(byte[] json, UIntPtr len, ref Secrets secrets, IntPtr transport, out IntPtr partner, out IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern void cw_partner_free(IntPtr partner);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_transport_memory(Handle exchange, out IntPtr transport, out IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern void cw_transport_free(IntPtr transport);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_case_system_open(byte[] folder, UIntPtr len, IntPtr catalogue, UIntPtr catalogueLen, out IntPtr cases, out IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_case_system_put(Handle cases, byte[] json, UIntPtr len, out IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_case_system_load(Handle cases, byte[] claim, UIntPtr len, out IntPtr json, out IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_case_system_add_note(Handle cases, byte[] claim, UIntPtr len, byte[] note, UIntPtr noteLen, out IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_case_system_add_document_file(Handle cases, byte[] claim, UIntPtr len, byte[] document, UIntPtr documentLen, byte[] file, UIntPtr fileLen, IntPtr noJson, out IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_case_system_read_document_file(Handle cases, byte[] claim, UIntPtr len, byte[] document, UIntPtr documentLen, ulong version, byte[] file, UIntPtr fileLen, out IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern void cw_case_system_free(IntPtr cases);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_exchange_settings_new(byte[] site, UIntPtr len, byte[] folder, UIntPtr folderLen, Handle signingKey, Handle cases, out IntPtr settings, out IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_exchange_settings_add_partner(Handle settings, Handle partner, out IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_exchange_settings_on_event(Handle settings, EventFn tell, IntPtr userData, DropFn drop, out IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern void cw_exchange_settings_free(IntPtr settings);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_exchange_open(IntPtr settings, out IntPtr exchange, out IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern void cw_exchange_free(IntPtr exchange);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_exchange_export(Handle exchange, byte[] claim, UIntPtr len, byte[] partner, UIntPtr partnerLen, ref ExportOptions options, ref Watch watch, byte[] packageId, IntPtr noJson, out IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_exchange_send(Handle exchange, byte[] id, UIntPtr len, IntPtr noWatch, out int state, IntPtr noJson, out IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_exchange_poll(Handle exchange, byte[] id, UIntPtr len, out int state, IntPtr noJson, out IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_exchange_unpack(Handle exchange, byte[] id, UIntPtr len, byte[] by, UIntPtr byLen, IntPtr noWatch, out int state, IntPtr noTold, IntPtr noJson, out IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_exchange_history(Handle exchange, IntPtr all, UIntPtr len, out IntPtr json, out IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_exchange_verify_history(Handle exchange, IntPtr noJson, out IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern int cw_event_kind(IntPtr told);
        [DllImport(Library, CallingConvention = Cdecl)] public static extern IntPtr cw_event_package(IntPtr told);
    }

    /// A handle of the library's: ended once, by Dispose or by the collector, and not while a call uses it.
    public sealed class Handle : SafeHandle
    {
        readonly Action<IntPtr> free;

        public Handle(IntPtr pointer, Action<IntPtr> free) : base(IntPtr.Zero, true)
        {
            this.free = free;
            SetHandle(pointer);
        }

        public override bool IsInvalid { get { return handle == IntPtr.Zero; } }

        protected override bool ReleaseHandle()
        {
            free(handle);
            return true;
        }

        /// The pointer, for a call that consumes the handle: it is no longer ours to end.
        public IntPtr Consumed()
        {
            var pointer = handle;
            SetHandleAsInvalid();
            return pointer;
        }

        /// Where this is a buffer: the bytes, copied.
        public byte[] Bytes()
        {
            var bytes = new byte[(int)C.cw_buffer_len(this)];
            Marshal.Copy(C.cw_buffer_data(this), bytes, 0, bytes.Length);
            return bytes;
        }
    }

    /// What a call failed with.
    public sealed class ClaimwireException : Exception
    {
        public readonly int Code;
        public readonly bool Retryable;
        public readonly List<string> Details = new List<string>();

        /// Takes over what the error says, and ends it.
        public ClaimwireException(int code, IntPtr error)
            : base(Call.Utf8(C.cw_code_name(code)) + ": " + Call.Utf8(C.cw_error_message(error)))
        {
            Code = code;
            Retryable = C.cw_error_is_retryable(error) == 1;
            for (uint i = 0; i < (uint)C.cw_error_detail_count(error); i++)
            {
                Details.Add(Call.Utf8(C.cw_error_detail(error, new UIntPtr(i))));
            }
            C.cw_error_free(error);
        }
    }

    public static class Call
    {
        public delegate int Failing(out IntPtr error);
        public delegate int GivingFn(out IntPtr given, out IntPtr error);

        static Call()
        {
            if (C.cw_abi_version() != 0)
            {
                throw new DllNotFoundException("this claimwire has another C interface than Claimwire.cs");
            }
        }

        public static void Do(Failing call)
        {
            IntPtr error;
            int code = call(out error);
            if (code != 0)
            {
                throw new ClaimwireException(code, error);
            }
        }

        /// A call that gives a handle, which `free` ends.
        public static Handle Giving(Action<IntPtr> free, GivingFn call)
        {
            IntPtr given = IntPtr.Zero;
            Do((out IntPtr error) => call(out given, out error));
            return new Handle(given, free);
        }

        /// A call that gives a buffer: its bytes, copied.
        public static byte[] Bytes(GivingFn call)
        {
            using (var buffer = Giving(C.cw_buffer_free, call))
            {
                return buffer.Bytes();
            }
        }

        public static string Text(GivingFn call)
        {
            return Encoding.UTF8.GetString(Bytes(call));
        }

        /// A new age identity and its recipient, each in a buffer.
        public static void GenerateAge(out Handle identity, out Handle recipient)
        {
            IntPtr secret = IntPtr.Zero, open = IntPtr.Zero;
            Do((out IntPtr error) => C.cw_age_generate(out secret, out open, out error));
            identity = new Handle(secret, C.cw_buffer_free);
            recipient = new Handle(open, C.cw_buffer_free);
        }

        public static byte[] Utf8(string text) { return Encoding.UTF8.GetBytes(text); }

        public static UIntPtr Len(byte[] bytes) { return new UIntPtr((uint)bytes.Length); }

        /// A NUL-terminated text of the library's; "" for NULL.
        public static string Utf8(IntPtr text)
        {
            int len = 0;
            while (text != IntPtr.Zero && Marshal.ReadByte(text, len) != 0)
            {
                len++;
            }
            var bytes = new byte[len];
            for (int i = 0; i < len; i++)
            {
                bytes[i] = Marshal.ReadByte(text, i);
            }
            return Encoding.UTF8.GetString(bytes);
        }

        /// Keeps a function that the library keeps from being collected, until the library calls Drop with this.
        public static IntPtr Keep(Delegate function)
        {
            Interlocked.Increment(ref Kept);
            return GCHandle.ToIntPtr(GCHandle.Alloc(function));
        }

        public static int Kept;
        public static readonly DropFn Drop = userData =>
        {
            GCHandle.FromIntPtr(userData).Free();
            Interlocked.Decrement(ref Kept);
        };

        /// For a function of the host's that returns a code: an exception must not leave it.
        public static int Guarded(IntPtr failure, Action work)
        {
            try
            {
                work();
                return 0;
            }
            catch (Exception thrown)
            {
                var known = thrown as ClaimwireException;
                int code = known == null ? Codes.Internal : known.Code;
                byte[] why = Utf8(thrown.Message);
                C.cw_failure_set(failure, code, why, Len(why), -1, IntPtr.Zero);
                return code;
            }
        }
    }
}
