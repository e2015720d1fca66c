*> Encrypts and decrypts in COBOL, and shows what an error says.
*>
*>     cobc -x -free -fstatic-call codec.cob -LPREFIX/lib -lclaimwire -o codec && LD_LIBRARY_PATH=PREFIX/lib ./codec
*>
*> It checks its own result and ends with 1 when anything differs.
identification division.
program-id. codec.
data division.
working-storage section.
copy "claimwire-data.cpy".
01  seals                    usage pointer value null.
01  opens                    usage pointer value null.
01  sealed                   pic x(2000).
01  sealed-len               binary-double unsigned.
linkage section.
01  c-text                   pic x(2000).

procedure division.
main-line.
    perform check-interface
    call "cw_age_generate" using by reference identity by reference place by reference fault returning code-of
    perform must-work
    perform text-of-place
    call "cw_sealing_key_age" using by reference t by value t-len by reference seals by reference fault returning code-of
    perform must-work
    *> The secret is handed on where it lies: it is in none of this program's fields.
    call "cw_buffer_len" using by value identity returning short-len
    move short-len to t-len
    call "cw_buffer_data" using by value identity returning place
    call "cw_opening_key_age" using by value place by value t-len by reference opens by reference fault returning code-of
    perform must-work
    move "left knee" to u
    move 9 to u-len
    call "cw_encrypt_bytes" using by value seals by reference u by value u-len by reference buffer by reference fault
        returning code-of
    perform must-work
    move buffer to place
    perform text-of-place
    call "cw_decrypt_bytes" using by value opens by reference t by value t-len by reference place by reference fault
        returning code-of
    perform must-work
    move t to sealed
    move t-len to sealed-len
    perform text-of-place
    move "what was encrypted is decrypted" to step-name
    if t(1:t-len) not = u(1:u-len)
        perform went-wrong
    end-if
    perform went-well
    move sealed to t
    subtract 1 from sealed-len giving t-len
    call "cw_decrypt_bytes" using by value opens by reference t by value t-len by reference place by reference fault
        returning code-of
    move "cut bytes are refused" to step-name
    perform must-be-refused
    call "cw_sealing_key_free" using by value seals
    call "cw_opening_key_free" using by value opens
    call "cw_buffer_free" using by value identity
    display " "
    display "What was sealed was opened."
    stop run returning 0.

copy "claimwire-calls.cpy".
