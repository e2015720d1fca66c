*> What every program that calls claimwire does: checks codes, reads buffers, and shows errors.

check-interface.
    call "cw_abi_version" returning interface-version
    if interface-version not = 0
        display "this claimwire has another C interface than these programs" upon syserr
        stop run returning 1
    end-if.

*> The value at the JSON Pointer in `u` of the JSON in `buffer`, which is ended, into `t`.
json-at-u.
    move buffer to place
    perform length-of-u
    call "cw_buffer_len" using by value buffer returning short-len
    move short-len to t-len
    call "cw_buffer_data" using by value buffer returning place
    call "cw_json_get" using by value place by value t-len by reference u by value u-len by reference place
        by reference fault returning code-of
    perform must-work
    call "cw_buffer_free" using by value buffer
    perform text-of-place.

*> Copies the bytes of the buffer `place` to `t` and ends it.
text-of-place.
    move spaces to t
    call "cw_buffer_len" using by value place returning short-len
    move short-len to t-len
    move place to buffer
    call "cw_buffer_data" using by value buffer returning place
    set address of c-text to place
    move c-text(1:t-len) to t
    call "cw_buffer_free" using by value buffer.

length-of-t.
    move function length(function trim(t trailing)) to t-len.

length-of-u.
    move function length(function trim(u trailing)) to u-len.

length-of-v.
    move function length(function trim(v trailing)) to v-len.

went-well.
    display "  ok   " function trim(step-name).

went-wrong.
    display "  FAIL " function trim(step-name)
    stop run returning 1.

must-work.
    if not worked
        perform show-fault
        stop run returning 1
    end-if.

must-be-refused.
    if not altered and not rules-violated perform went-wrong end-if
    perform went-well
    perform show-fault.

*> What the error says, which is then ended.
show-fault.
    call "cw_error_message" using by value fault returning place
    set address of c-text to place
    move spaces to t
    string c-text delimited by x"00" into t
    display "       " function trim(t)
    call "cw_error_free" using by value fault
    set fault to null.
