// Two sites in one .NET process: a claim with a note and a scan goes from an insurer to a medical examiner.
//
//     mcs -out:two_sites.exe *.cs && LD_LIBRARY_PATH=PREFIX/lib mono two_sites.exe [FOLDER]
//
// It checks its own result and exits with 1 when anything differs.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;
using Claimwire;

static class TwoSites
{
    const string Claim = "ON-INS/C-1";
    static readonly byte[] ClaimId = Call.Utf8(Claim);

    /// One site: its claims in the embedded case system, its keys, and, once it is open, its exchange.
    sealed class Site : IDisposable
    {
        public readonly string Id;
        public readonly List<string> NewPackages = new List<string>();
        public readonly Handle Cases, Signs, Identity, Recipient;
        public Handle Exchange;
        readonly string folder;

        public Site(string id, string folder)
        {
            Id = id;
            this.folder = folder;
            byte[] cases = Call.Utf8(Path.Combine(folder, "cases")), key = Call.Utf8(id + "/2026");
            Cases = Call.Giving(C.cw_case_system_free, (out IntPtr given, out IntPtr error) =>
                C.cw_case_system_open(cases, Call.Len(cases), IntPtr.Zero, UIntPtr.Zero, out given, out error));
            Signs = Call.Giving(C.cw_signing_key_free, (out IntPtr given, out IntPtr error) =>
                C.cw_signing_key_generate(key, Call.Len(key), out given, out error));
            Call.GenerateAge(out Identity, out Recipient);
        }

        int Secret(IntPtr userData, IntPtr name, UIntPtr nameLen, IntPtr secret, IntPtr failure)
        {
            return Call.Guarded(failure, () => Call.Do((out IntPtr error) =>
                C.cw_secret_set(secret, C.cw_buffer_data(Identity), C.cw_buffer_len(Identity), out error)));
        }

        void Told(IntPtr userData, IntPtr told)
        {
            if (C.cw_event_kind(told) == Codes.EventNewPackage)
            {
                NewPackages.Add(Call.Utf8(C.cw_event_package(told)));
            }
        }

        /// Opens the exchange with one partner, reached by `transport`, or only received from when that is zero.
        public void Open(Site partner, IntPtr transport)
        {
            string verifying = Call.Text((out IntPtr given, out IntPtr error) =>
                C.cw_signing_key_verifying_text(partner.Signs, out given, out error));
            byte[] settled = Call.Utf8(@"{""site"": ""PARTNER"", ""number"": 1, ""alias"": ""PARTNER"", ""keys"": {
                ""outgoing"": {""version"": 1, ""suite"": ""age"", ""recipients"": [""RECIPIENT""]},
                ""incoming"": [{""version"": 1, ""suite"": ""age"", ""secret"": {""host"": ""identity""}}],
                ""verifying"": [{""id"": ""PARTNER/2026"", ""public"": ""VERIFYING""}]}}"
                .Replace("PARTNER", partner.Id).Replace("VERIFYING", verifying)
                .Replace("RECIPIENT", Encoding.ASCII.GetString(partner.Recipient.Bytes())));
            byte[] site = Call.Utf8(Id), where = Call.Utf8(Path.Combine(folder, "exchange"));
            // Used during one call, which the struct outlives; what the library keeps is held by Keep.
            var secrets = new Secrets(Secret);
            EventFn tell = Told;
            using (var other = Call.Giving(C.cw_partner_free, (out IntPtr given, out IntPtr error) =>
                C.cw_partner_from_json(settled, Call.Len(settled), ref secrets, transport, out given, out error)))
            using (var made = Call.Giving(C.cw_exchange_settings_free, (out IntPtr given, out IntPtr error) =>
                C.cw_exchange_settings_new(site, Call.Len(site), where, Call.Len(where), Signs, Cases, out given, out error)))
            {
                Call.Do((out IntPtr error) => C.cw_exchange_settings_add_partner(made, other, out error));
                Call.Do((out IntPtr error) =>
                    C.cw_exchange_settings_on_event(made, tell, Call.Keep(tell), Call.Drop, out error));
                Exchange = Call.Giving(C.cw_exchange_free, (out IntPtr given, out IntPtr error) =>
                    C.cw_exchange_open(made.Consumed(), out given, out error));
            }
            GC.KeepAlive(secrets.Secret);
        }

        /// Exports the claim; gives the package's id.
        public byte[] Export(Site partner, string by, ProgressFn progress)
        {
            byte[] to = Call.Utf8(partner.Id), person = Call.Utf8(by), id = new byte[Codes.PackageIdSize];
            var pinned = GCHandle.Alloc(person, GCHandleType.Pinned);
            try
            {
                var options = new ExportOptions
                {
                    StructSize = new UIntPtr((uint)Marshal.SizeOf(typeof(ExportOptions))),
                    By = pinned.AddrOfPinnedObject(),
                    ByLen = Call.Len(person),
                };
                var watch = new Watch(progress);
                Call.Do((out IntPtr error) => C.cw_exchange_export(Exchange, ClaimId, Call.Len(ClaimId), to, Call.Len(to),
                    ref options, ref watch, id, IntPtr.Zero, out error));
                GC.KeepAlive(progress);
                return id.Take(id.Length - 1).ToArray();
            }
            finally
            {
                pinned.Free();
            }
        }

        /// What the history says of each step, in their order; checked first.
        public string History()
        {
            Call.Do((out IntPtr error) => C.cw_exchange_verify_history(Exchange, IntPtr.Zero, out error));
            byte[] history = Call.Bytes((out IntPtr given, out IntPtr error) =>
                C.cw_exchange_history(Exchange, IntPtr.Zero, UIntPtr.Zero, out given, out error));
            return string.Join(" ", Enumerable.Range(0, 4).Select(i => Json(history, "/" + i + "/step")));
        }

        public void Dispose()
        {
            foreach (var handle in new[] { Exchange, Cases, Signs, Identity, Recipient })
            {
                if (handle != null)
                {
                    handle.Dispose();
                }
            }
        }
    }

    static string Json(byte[] json, string at)
    {
        byte[] pointer = Call.Utf8(at);
        return Call.Text((out IntPtr given, out IntPtr error) =>
            C.cw_json_get(json, Call.Len(json), pointer, Call.Len(pointer), out given, out error));
    }

    static void Check(string what, bool holds)
    {
        Console.WriteLine((holds ? "  ok   " : "  FAIL ") + what);
        if (!holds)
        {
            Environment.Exit(1);
        }
    }

    /// Runs what must fail; gives its exception.
    static ClaimwireException Refused(Action call)
    {
        try
        {
            call();
        }
        catch (ClaimwireException error)
        {
            return error;
        }
        throw new InvalidOperationException("this should have been refused");
    }

    static void Codec()
    {
        Handle identity, recipient;
        Call.GenerateAge(out identity, out recipient);
        byte[] plain = Call.Utf8("left knee, Zoë");
        using (identity)
        using (recipient)
        using (var seals = Call.Giving(C.cw_sealing_key_free, (out IntPtr given, out IntPtr error) =>
            C.cw_sealing_key_age(C.cw_buffer_data(recipient), C.cw_buffer_len(recipient), out given, out error)))
        using (var opens = Call.Giving(C.cw_opening_key_free, (out IntPtr given, out IntPtr error) =>
            C.cw_opening_key_age(C.cw_buffer_data(identity), C.cw_buffer_len(identity), out given, out error)))
        {
            byte[] sealedBytes = Call.Bytes((out IntPtr given, out IntPtr error) =>
                C.cw_encrypt_bytes(seals, plain, Call.Len(plain), out given, out error));
            byte[] opened = Call.Bytes((out IntPtr given, out IntPtr error) =>
                C.cw_decrypt_bytes(opens, sealedBytes, Call.Len(sealedBytes), out given, out error));
            Check("what was encrypted is decrypted", opened.SequenceEqual(plain));
            sealedBytes[sealedBytes.Length - 1] ^= 1;
            var refused = Refused(() => Call.Bytes((out IntPtr given, out IntPtr error) =>
                C.cw_decrypt_bytes(opens, sealedBytes, Call.Len(sealedBytes), out given, out error)));
            Check("changed bytes are refused: " + refused.Message, !refused.Retryable);
        }
    }

    static void Exchange(string folder)
    {
        using (var examiner = new Site("IMEX", Path.Combine(folder, "examiner")))
        using (var insurer = new Site("ON-INS", Path.Combine(folder, "insurer")))
        {
            examiner.Open(insurer, IntPtr.Zero);
            // The partner keeps the transport, and that the examiner's exchange: the insurer is closed first.
            using (var transport = Call.Giving(C.cw_transport_free, (out IntPtr given, out IntPtr error) =>
                C.cw_transport_memory(examiner.Exchange, out given, out error)))
            {
                insurer.Open(examiner, transport.DangerousGetHandle());
            }
            Console.WriteLine("A claim with a scan, exported");
            byte[] bytes = new byte[3000000];
            new Random(1).NextBytes(bytes);
            string scan = Path.Combine(folder, "scan.pdf"), copy = Path.Combine(folder, "copy.pdf");
            File.WriteAllBytes(scan, bytes);
            byte[] file = Call.Utf8(@"{""claim"": {""id"": """ + Claim + @""", ""claim_number"": ""CLM-2026-0117""}}");
            byte[] document = Call.Utf8(@"{""id"": ""ON-INS/D-1"", ""name"": ""scan.pdf""}"), path = Call.Utf8(scan);
            byte[] note = Call.Utf8(
                @"{""id"": ""ON-INS/N-1"", ""author"": ""Zoë Whitfield"", ""body"": ""Please examine the left knee.""}");
            Call.Do((out IntPtr error) => C.cw_case_system_put(insurer.Cases, file, Call.Len(file), out error));
            Call.Do((out IntPtr error) => C.cw_case_system_add_document_file(insurer.Cases, ClaimId, Call.Len(ClaimId),
                document, Call.Len(document), path, Call.Len(path), IntPtr.Zero, out error));
            var refused = Refused(() => insurer.Export(examiner, "d.whitfield", null));
            Check("without a note it is refused: " + refused.Details[0], refused.Code == Codes.ExportRulesViolated);
            Call.Do((out IntPtr error) => C.cw_case_system_add_note(insurer.Cases, ClaimId, Call.Len(ClaimId), note,
                Call.Len(note), out error));
            refused = Refused(() => insurer.Export(examiner, "d.whitfield", (data, count) => 1));
            Check("it can be stopped", refused.Code == Codes.Cancelled);
            ulong moved = 0;
            byte[] id = insurer.Export(examiner, "d.whitfield", (data, count) => { moved += count; return 0; });
            Check("progress was told", moved >= (ulong)bytes.Length);

            Console.WriteLine("Sent, unpacked, asked about");
            int state = 0;
            byte[] by = Call.Utf8("l.brandt"), documentId = Call.Utf8("ON-INS/D-1"), to = Call.Utf8(copy);
            Call.Do((out IntPtr error) =>
                C.cw_exchange_send(insurer.Exchange, id, Call.Len(id), IntPtr.Zero, out state, IntPtr.Zero, out error));
            Check("the examiner signed a receipt", state == Codes.OutgoingDelivered);
            Check("New Package: the examiner was told", examiner.NewPackages.Single() == Encoding.ASCII.GetString(id));
            Call.Do((out IntPtr error) => C.cw_exchange_unpack(examiner.Exchange, id, Call.Len(id), by, Call.Len(by),
                IntPtr.Zero, out state, IntPtr.Zero, IntPtr.Zero, out error));
            Check("it is unpacked", state == Codes.IncomingUnpacked);
            byte[] arrived = Call.Bytes((out IntPtr given, out IntPtr error) =>
                C.cw_case_system_load(examiner.Cases, ClaimId, Call.Len(ClaimId), out given, out error));
            Check("the note arrived", Json(arrived, "/notes/0/author") == "Zoë Whitfield");
            Call.Do((out IntPtr error) => C.cw_case_system_read_document_file(examiner.Cases, ClaimId, Call.Len(ClaimId),
                documentId, Call.Len(documentId), 0, to, Call.Len(to), out error));
            Check("the scan arrived byte for byte", File.ReadAllBytes(copy).SequenceEqual(bytes));
            Call.Do((out IntPtr error) =>
                C.cw_exchange_poll(insurer.Exchange, id, Call.Len(id), out state, IntPtr.Zero, out error));
            Check("the insurer knows", state == Codes.OutgoingUnpacked);

            Console.WriteLine("Both histories");
            Check("the insurer's is whole", insurer.History() == "exported sent delivered unpacked");
            Check("the examiner's is whole", examiner.History() == "received notified unpacked acknowledged");
        }
        Check("the library let go of every function", Call.Kept == 0);
    }

    static void Main(string[] arguments)
    {
        Console.WriteLine("The codec");
        Codec();
        Exchange(arguments.Length > 0 ? arguments[0] : Directory.CreateDirectory(
            Path.Combine(Path.GetTempPath(), "two-sites-" + Guid.NewGuid())).FullName);
        Console.WriteLine("\nThe claim arrived as it was sent.");
    }
}
