"""PBKDF1 and DES-CBC of pycryptodome as a filter: pbkdf1_des.py encrypt|decrypt ITERATIONS SALT-HEX PASSWORD"""

import sys

from Crypto.Cipher import DES
from Crypto.Hash import MD5
from Crypto.Protocol.KDF import PBKDF1
from Crypto.Util.Padding import pad, unpad

verb, iterations, salt, password = sys.argv[1:]
derived = PBKDF1(password, bytes.fromhex(salt), 16, int(iterations), MD5)
cipher = DES.new(derived[:8], DES.MODE_CBC, derived[8:])
data = sys.stdin.buffer.read()
sys.stdout.buffer.write(cipher.encrypt(pad(data, 8)) if verb == "encrypt" else unpad(cipher.decrypt(data), 8))
