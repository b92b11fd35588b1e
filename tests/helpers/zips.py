"""Zips as users have them; ZipCrypto is written here by its published algorithm, byte by byte.

PKWARE, APPNOTE.TXT: section 4.3 (records of a zip) and 6.1 (traditional encryption).
"""

import struct
import zipfile
import zlib

import pyzipper

HOUR, MINUTE = 13, 37


class Keys:
    """The three keys of section 6.1.5, fed with plain bytes."""

    def __init__(self, password):
        self.keys = [0x12345678, 0x23456789, 0x34567890]
        for byte in password:
            self.update(byte)

    def update(self, plain):
        keys = self.keys
        keys[0] = crc32_of_byte(keys[0], plain)
        keys[1] = (keys[1] + (keys[0] & 0xFF)) & 0xFFFFFFFF
        keys[1] = (keys[1] * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = crc32_of_byte(keys[2], keys[1] >> 24)

    def mask(self):
        word = (self.keys[2] | 2) & 0xFFFF
        return ((word * (word ^ 1)) >> 8) & 0xFF

    def encrypt(self, content):
        cipher = bytearray()
        for plain in content:
            cipher.append(plain ^ self.mask())
            self.update(plain)
        return bytes(cipher)

    def decrypt(self, cipher):
        content = bytearray()
        for byte in cipher:
            content.append(byte ^ self.mask())
            self.update(content[-1])
        return bytes(content)


def crc32_of_byte(crc, byte):
    crc ^= byte
    for _ in range(8):
        crc = (crc >> 1) ^ (0xEDB88320 if crc & 1 else 0)
    return crc


def write_zipcrypto(path, files, password, *, deflate=True, streamed=False):
    """Write an encrypted zip; `streamed` as programs do that write to a pipe (sizes come last)."""
    body, directory = b"", b""
    for name, content in files.items():
        crc, packed = zlib.crc32(content), content
        if deflate:
            squeeze = zlib.compressobj(wbits=-15)
            packed = squeeze.compress(content) + squeeze.flush()
        time = HOUR << 11 | MINUTE << 5
        check = time >> 8 if streamed else crc >> 24
        start = bytes(range(11)) + bytes([check])
        cipher = Keys(password).encrypt(start + packed)
        sizes = struct.pack("<III", crc, len(cipher), len(content))
        flags = 1 | (8 if streamed else 0)
        common = struct.pack("<HHHHH", 20, flags, 8 if deflate else 0, time, 0x21)
        named = name.encode()
        here = struct.pack("<HH", len(named), 0)
        local = b"PK\x03\x04" + common + (bytes(12) if streamed else sizes) + here + named
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + common + sizes + here
        directory += struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + named
        body += local + cipher + (b"PK\x07\x08" + sizes if streamed else b"")
    end = struct.pack("<HHHHIIH", 0, 0, len(files), len(files), len(directory), len(body), 0)
    path.write_bytes(body + directory + b"PK\x05\x06" + end)


def write_aes(path, files, password, bits=256):
    with pyzipper.AESZipFile(path, "w", compression=pyzipper.ZIP_DEFLATED) as archive:
        archive.setpassword(password)
        archive.setencryption(pyzipper.WZ_AES, nbits=bits)
        for name, content in files.items():
            archive.writestr(name, content)


def write_plain(path, files, _password=None):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def write_folder(path, files, _password=None):
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)


def passes_check_byte(content, password, other):
    """Tell whether a wrong password passes ZipCrypto's one-byte check for a file."""
    check = zlib.crc32(content) >> 24
    start = Keys(password).encrypt(bytes(range(11)) + bytes([check]))
    return Keys(other).decrypt(start)[-1] == check
