*> Two sites in one COBOL program: a claim with a note and a letter goes from an insurer to a medical examiner. No function
*> of the host's is needed for it: what became of a package is asked for, and secrets lie in files.
*>
*>     cobc -x -free -fstatic-call two_sites.cob -LPREFIX/lib -lclaimwire -o two_sites
*>     mkdir desk && LD_LIBRARY_PATH=PREFIX/lib ./two_sites "$PWD/desk"
*>
*> The folder is given by its absolute path, since settings name files so. It checks its own result and ends with 1 when anything differs.
identification division.
program-id. two-sites.
environment division.
input-output section.
file-control.
    select text-file assign to file-name organization line sequential.
data division.
file section.
fd  text-file.
01  file-line                pic x(200).
working-storage section.
01  file-name                pic x(200).
01  folder                   pic x(150).
copy "claimwire-data.cpy".
01  claim-id                 pic x(10) value "ON-INS/C-1".
01  claim-len                binary-double unsigned value 10.
01  person                   pic x(11) value "d.whitfield".
01  person-len               binary-double unsigned value 11.
01  package-id.
    05  package-text         pic x(36).
    05  filler               pic x.
01  package-len              binary-double unsigned value 36.
01  export-options.
    05  struct-size          binary-double unsigned value 40.
    05  by-text              usage pointer.
    05  by-len               binary-double unsigned value 11.
    05  assessments          usage pointer value null.
    05  assessments-len      binary-double unsigned value 0.
01  digest-before            pic x(65).
01  digest-after             pic x(65).

*> Handles, numbers and structs stand where C aligns them: at multiples of 8. Texts before them are filled up to that.
01  site-table.
    05  site                 occurs 2.
        10  site-id          pic x(8).
        10  site-len         binary-double unsigned.
        10  cases            usage pointer.
        10  signs            usage pointer.
        10  recipient        usage pointer.
        10  exchange         usage pointer.
01  me                       binary-long.
01  peer                    binary-long.
01  partner                  usage pointer value null.
01  settings                 usage pointer value null.
01  transport                usage pointer value null.
linkage section.
01  c-text                   pic x(2000).

procedure division.
main-line.
    accept folder from argument-value
    if folder(1:1) not = "/"
        display 'usage: two_sites "$PWD/FOLDER"' upon syserr
        stop run returning 1
    end-if
    perform check-interface
    *> Files that hold a secret are for this user alone; 63 is octal 077.
    call "umask" using by value 63
    move "ON-INS" to site-id(1)
    move 6 to site-len(1)
    move "IMEX" to site-id(2)
    move 4 to site-len(2)
    perform prepare-site varying me from 1 by 1 until me > 2
    move 2 to me
    move 1 to peer
    perform open-exchange
    call "cw_transport_memory" using by value exchange(2) by reference transport by reference fault returning code-of
    perform must-work
    move 1 to me
    move 2 to peer
    perform open-exchange
    perform file-the-claim
    perform send-the-claim
    perform check-histories
    perform end-handles
    display " "
    display "The claim arrived as it was sent."
    stop run returning 0.

*> The embedded case system and the keys of a site; what opens is put into a file of its own.
prepare-site.
    move spaces to t
    string function trim(folder) "/" function trim(site-id(me)) "-cases" delimited by size into t
    perform length-of-t
    call "cw_case_system_open" using by reference t by value t-len by reference omitted by value no-length by reference cases(me)
        by reference fault returning code-of
    perform must-work
    call "cw_signing_key_generate" using by reference site-id(me) by value site-len(me) by reference signs(me)
        by reference fault returning code-of
    perform must-work
    call "cw_age_generate" using by reference identity by reference recipient(me) by reference fault returning code-of
    perform must-work
    move spaces to file-name
    string function trim(folder) "/" function trim(site-id(me)) ".key" delimited by size into file-name
    move identity to place
    perform text-of-place
    open output text-file
    write file-line from t
    close text-file
    move all "*" to t.

*> Opens the exchange of `me` with `peer` as its partner, over `transport`.
open-exchange.
    call "cw_signing_key_verifying_text" using by value signs(peer) by reference place by reference fault
        returning code-of
    perform must-work
    perform text-of-place
    move t to u
    *> A copy of the recipient: the site's buffer stays for later.
    call "cw_buffer_data" using by value recipient(peer) returning place
    set address of c-text to place
    move c-text(1:62) to v
    move spaces to t
    string '{"site":"' function trim(site-id(peer)) '","number":1,"alias":"' function trim(site-id(peer))
        '","keys":{"outgoing":{"version":1,"suite":"age","recipients":["' function trim(v)
        '"]},"incoming":[{"version":1,"suite":"age","secret":{"file":"' function trim(folder) "/"
        function trim(site-id(me)) '.key"}}],"verifying":[{"id":"' function trim(site-id(peer))
        '","public":"' function trim(u) '"}]}}' delimited by size into t
    perform length-of-t
    call "cw_partner_from_json" using by reference t by value t-len by reference omitted by value transport by reference partner
        by reference fault returning code-of
    perform must-work
    move spaces to t
    string function trim(folder) "/" function trim(site-id(me)) "-exchange" delimited by size into t
    perform length-of-t
    call "cw_exchange_settings_new" using by reference site-id(me) by value site-len(me) by reference t by value t-len
        by value signs(me) by value cases(me) by reference settings by reference fault returning code-of
    perform must-work
    call "cw_exchange_settings_add_partner" using by value settings by value partner by reference fault returning code-of
    perform must-work
    call "cw_exchange_open" using by value settings by reference exchange(me) by reference fault returning code-of
    perform must-work
    call "cw_partner_free" using by value partner.

file-the-claim.
    display "A claim with a letter, exported"
    move '{"claim":{"id":"ON-INS/C-1","claim_number":"CLM-2026-0117"}}' to t
    perform length-of-t
    call "cw_case_system_put" using by value cases(1) by reference t by value t-len by reference fault returning code-of
    perform must-work
    move spaces to file-name
    string function trim(folder) "/letter.txt" delimited by size into file-name
    open output text-file
    write file-line from "Please examine the left knee of the insured."
    close text-file
    move file-name to v
    perform length-of-v
    move '{"id":"ON-INS/D-1","name":"letter.txt"}' to t
    perform length-of-t
    call "cw_case_system_add_document_file" using by value cases(1) by reference claim-id by value claim-len
        by reference t by value t-len by reference v by value v-len by reference omitted by reference fault returning code-of
    perform must-work
    call "cw_file_digest" using by reference v by value v-len by reference digest-before by reference omitted by reference fault
        returning code-of
    perform must-work
    set by-text to address of person
    perform export-the-claim
    move "without a note it is refused" to step-name
    perform must-be-refused
    move '{"id":"ON-INS/N-1","author":"Dana Whitfield","body":"Please examine the left knee."}' to t
    perform length-of-t
    call "cw_case_system_add_note" using by value cases(1) by reference claim-id by value claim-len by reference t
        by value t-len by reference fault returning code-of
    perform must-work
    perform export-the-claim
    perform must-work.

export-the-claim.
    call "cw_exchange_export" using by value exchange(1) by reference claim-id by value claim-len by reference site-id(2)
        by value site-len(2) by reference export-options by reference omitted by reference package-id by reference omitted by reference fault
        returning code-of.

send-the-claim.
    display "Sent, unpacked, asked about"
    call "cw_exchange_send" using by value exchange(1) by reference package-text by value package-len by reference omitted
        by reference state by reference omitted by reference fault returning code-of
    perform must-work
    move "the examiner signed a receipt" to step-name
    if not delivered perform went-wrong end-if
    perform went-well
    *> What is new is asked for; a host with functions of its own is told by an event.
    move '{"only_new":true}' to t
    perform length-of-t
    call "cw_exchange_incoming_packages" using by value exchange(2) by reference t by value t-len by reference buffer
        by reference fault returning code-of
    perform must-work
    move "/0/id" to u
    perform json-at-u
    move "the package is new at the examiner" to step-name
    if t(1:t-len) not = package-text perform went-wrong end-if
    perform went-well
    call "cw_exchange_unpack" using by value exchange(2) by reference package-text by value package-len
        by reference person by value person-len by reference omitted by reference state by reference omitted by reference omitted by reference fault
        returning code-of
    perform must-work
    move "it is unpacked" to step-name
    if not unpacked perform went-wrong end-if
    perform went-well
    move spaces to v
    string function trim(folder) "/copy.txt" delimited by size into v
    perform length-of-v
    move "ON-INS/D-1" to u
    call "cw_case_system_read_document_file" using by value cases(2) by reference claim-id by value claim-len
        by reference u by value claim-len by value no-length by reference v by value v-len by reference fault
        returning code-of
    perform must-work
    call "cw_file_digest" using by reference v by value v-len by reference digest-after by reference omitted by reference fault
        returning code-of
    perform must-work
    move "the letter arrived byte for byte" to step-name
    if digest-after not = digest-before perform went-wrong end-if
    perform went-well
    call "cw_exchange_poll" using by value exchange(1) by reference package-text by value package-len by reference state
        by reference omitted by reference fault returning code-of
    perform must-work
    move "the insurer knows" to step-name
    if not known-unpacked perform went-wrong end-if
    perform went-well.

check-histories.
    display "Both histories"
    perform varying me from 1 by 1 until me > 2
        call "cw_exchange_verify_history" using by value exchange(me) by reference omitted by reference fault returning code-of
        perform must-work
        call "cw_exchange_history" using by value exchange(me) by reference omitted by value no-length by reference buffer
            by reference fault returning code-of
        perform must-work
        move "/3/step" to u
        *> Nobody listens at the examiner's, so its history has no step "notified".
        if me = 2 move "/2/step" to u end-if
        perform json-at-u
        move t to step-name
        if (me = 1 and t not = "unpacked") or (me = 2 and t not = "acknowledged") perform went-wrong end-if
        perform went-well
    end-perform.

end-handles.
    *> The transport and the insurer's partner keep the examiner's exchange open: the insurer's ends first.
    call "cw_exchange_free" using by value exchange(1)
    call "cw_transport_free" using by value transport
    call "cw_exchange_free" using by value exchange(2)
    perform varying me from 1 by 1 until me > 2
        call "cw_case_system_free" using by value cases(me)
        call "cw_signing_key_free" using by value signs(me)
        call "cw_buffer_free" using by value recipient(me)
    end-perform.

copy "claimwire-calls.cpy".
