#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""derive.py PRIVATE-KEY TUNNEL: the private key of that tunnel of a bundle, by
another implementation than wg-inline's."""

import base64
import hashlib
import sys

main = base64.b64decode(sys.argv[1])
tunnel = int(sys.argv[2])
if tunnel > 1:
    main = bytearray(hashlib.blake2b(
        digest_size=32, key=main, salt=tunnel.to_bytes(16, "little"),
        person=b"wginline".ljust(16, b"\0")).digest())
    main[0] &= 248
    main[31] = main[31] & 127 | 64
print(base64.b64encode(main).decode())
