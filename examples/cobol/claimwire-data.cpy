*> What every program that calls claimwire needs: codes, handles of the moment, and texts with their lengths.
*> C's size_t and uint64_t are binary-double unsigned, int32_t is binary-long, a pointer is usage pointer.
01  code-of                  binary-long.
    88  worked               value 0.
    88  altered              value 103.
    88  rules-violated       value 310.
01  fault                    usage pointer value null.
01  buffer                   usage pointer value null.
01  place                    usage pointer value null.
01  state                    binary-long.
    88  delivered            value 130.
    88  known-unpacked       value 140.
    88  unpacked             value 210.
01  step-name                pic x(40).
01  interface-version        binary-long.
01  identity                 usage pointer value null.
01  t                        pic x(2000).
01  t-len                    binary-double unsigned.
01  u                        pic x(200).
01  u-len                    binary-double unsigned.
01  v                        pic x(200).
01  v-len                    binary-double unsigned.
01  no-length                binary-double unsigned value 0.
01  short-len                binary-long.
