"""Ways to damage an image file: bytes of any file, chunks of a PNG (with right checksums), segments of a JPEG."""

import struct
import zlib

from tests.observe.drawings import png_chunk

PNG_START = b"\x89PNG\r\n\x1a\n"
JUNK = (b"\0" * 64, b"<html>no such picture</html>", b"SEFH\x6a\0\0\0" * 9, b"\xff\xd9\xff\xd8", b"\x89PNG\r\n\x1a\n")


def spot(chance, data, length):
    """A place behind the first two bytes where this many follow, as far as there are so many."""
    return int(chance.integers(2, max(3, len(data) - length)))


def flip_bit(chance, data):
    """One bit of the file."""
    at = spot(chance, data, 1)
    return data[:at] + bytes([data[at] ^ 1 << int(chance.integers(8))]) + data[at + 1 :]


def flip_bits(chance, data):
    """Eight bits, anywhere."""
    for _ in range(8):
        data = flip_bit(chance, data)
    return data


def overwrite(chance, data):
    """A run of up to 512 bytes by chance."""
    length = int(chance.integers(1, 513))
    at = spot(chance, data, length)
    return data[:at] + chance.bytes(length)[: len(data) - at] + data[at + length :]


def zero(chance, data):
    """A run of up to 4,096 zeros."""
    length = int(chance.integers(1, 4097))
    at = spot(chance, data, length)
    return data[:at] + bytes(len(data[at : at + length])) + data[at + length :]


def repeat(chance, data):
    """A block of up to 4,096 bytes that comes twice."""
    length = int(chance.integers(1, 4097))
    at = spot(chance, data, length)
    return data[: at + length] + data[at:]


def lose(chance, data):
    """A block from the middle is gone."""
    length = int(chance.integers(1, 2049))
    at = spot(chance, data, length)
    return data[:at] + data[at + length :]


def cut(chance, data):
    """The end is gone."""
    return data[: spot(chance, data, 0)]


def cut_short(chance, data):
    """The last few bytes are gone."""
    return data[: -int(chance.integers(1, 17))]


def append(chance, data):
    """Something follows the end."""
    return data + JUNK[int(chance.integers(len(JUNK)))] * int(chance.integers(1, 4))


def insert(chance, data):
    """Bytes that do not belong there, in the middle."""
    at = spot(chance, data, 0)
    return data[:at] + chance.bytes(int(chance.integers(1, 65))) + data[at:]


def swap(chance, data):
    """Two blocks change places."""
    length = int(chance.integers(1, max(2, len(data) // 4)))
    first, second = sorted((spot(chance, data, length), spot(chance, data, length)))
    second = max(second, first + length)
    return data[:first] + data[second : second + length] + data[first + length : second] + data[first : first + length]


def header(chance, data):
    """A byte of the first 64."""
    at = int(chance.integers(2, min(64, len(data))))
    return data[:at] + chance.bytes(1) + data[at + 1 :]


def chunks_of(png):
    """A PNG's chunks as (name, content)."""
    at, found = 8, []
    while at + 12 <= len(png):
        length = int.from_bytes(png[at : at + 4], "big")
        found.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def joined(chunks):
    """A PNG of these chunks, each with its right checksum."""
    return PNG_START + b"".join(png_chunk(*chunk) for chunk in chunks)


def png_chunk_bit(chance, png):
    """One bit of a chunk's content; its checksum is right."""
    chunks = chunks_of(png)
    places = [n for n, (_, content) in enumerate(chunks) if content]
    n = places[int(chance.integers(len(places)))]
    name, content = chunks[n]
    at = int(chance.integers(len(content)))
    chunks[n] = (name, content[:at] + bytes([content[at] ^ 1 << int(chance.integers(8))]) + content[at + 1 :])
    return joined(chunks)


def png_checksum(chance, png):
    """One chunk has a wrong checksum."""
    chunks = chunks_of(png)
    n = int(chance.integers(len(chunks)))
    parts = [png_chunk(*chunk) for chunk in chunks]
    parts[n] = parts[n][:-1] + bytes([parts[n][-1] ^ 1])
    return PNG_START + b"".join(parts)


def png_chunk_order(chance, png):
    """A chunk is lost, doubled or elsewhere."""
    chunks = chunks_of(png)
    chunk = chunks[int(chance.integers(len(chunks)))]
    for _ in range(int(chance.integers(0, 3))):
        chunks.insert(int(chance.integers(len(chunks) + 1)), chunk)
    chunks.remove(chunk)
    return joined(chunks)


def png_strange_chunk(chance, png):
    """A chunk of a name that no reader knows, critical or not, somewhere."""
    chunks = chunks_of(png)
    names = (b"ABCD", b"abCd", b"IDOT", b"npTc", b"fdAT", b"tEXt", b"iCCP", b"zTXt", b"eXIf", b"gAMA", b"sBIT", b"PLTE")
    name = names[int(chance.integers(len(names)))]
    chunks.insert(int(chance.integers(1, len(chunks) + 1)), (name, chance.bytes(int(chance.integers(0, 300)))))
    return joined(chunks)


def png_rows(chance, png):
    """The pixels' stream is packed anew with a change in it: rows too few or too many, a filter, its checksum."""
    chunks = chunks_of(png)
    stream = bytearray(zlib.decompress(b"".join(content for name, content in chunks if name == b"IDAT")))
    kind = int(chance.integers(6))
    if kind == 0:
        del stream[-int(chance.integers(1, len(stream))) :]
    elif kind == 1:
        stream += chance.bytes(int(chance.integers(1, 1000)))
    elif kind == 2:
        stream[0] = int(chance.integers(5, 256))
    packed = zlib.compress(bytes(stream))
    if kind == 3:
        packed = packed[:-4] + chance.bytes(4)
    elif kind == 4:
        packed = packed[: -int(chance.integers(1, 9))]
    elif kind == 5:
        packed += chance.bytes(int(chance.integers(1, 100)))
    first = next(n for n, (name, _) in enumerate(chunks) if name == b"IDAT")
    rest = [chunk for chunk in chunks if chunk[0] != b"IDAT"]
    return joined([*rest[:first], (b"IDAT", packed), *rest[first:]])


def png_size(chance, png):
    """The header says another width, height, depth or colour type."""
    chunks = chunks_of(png)
    content = bytearray(chunks[0][1])
    if chance.integers(2):
        struct.pack_into(">I", content, 4 * int(chance.integers(2)), int(chance.integers(1, 400)))
    else:
        content[int(chance.integers(8, 13))] = int(chance.integers(0, 17))
    chunks[0] = (b"IHDR", bytes(content))
    return joined(chunks)


def jpeg_segments(jpeg):
    """A JPEG's segments before its pixels as (marker, content), and the rest from the first scan on."""
    at, found = 2, []
    while at + 4 <= len(jpeg) and jpeg[at + 1] != 0xDA:
        length = int.from_bytes(jpeg[at + 2 : at + 4], "big")
        found.append((jpeg[at + 1], jpeg[at + 4 : at + 2 + length]))
        at += 2 + length
    return found, jpeg[at:]


def jpeg_joined(segments, rest):
    """A JPEG of these segments."""
    parts = [bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content for marker, content in segments]
    return b"\xff\xd8" + b"".join(parts) + rest


def jpeg_segment_byte(chance, jpeg):
    """A byte of one segment."""
    segments, rest = jpeg_segments(jpeg)
    n = int(chance.integers(len(segments)))
    marker, content = segments[n]
    at = int(chance.integers(len(content)))
    segments[n] = (marker, content[:at] + chance.bytes(1) + content[at + 1 :])
    return jpeg_joined(segments, rest)


def jpeg_segment_order(chance, jpeg):
    """A segment is lost, doubled or elsewhere."""
    segments, rest = jpeg_segments(jpeg)
    segment = segments[int(chance.integers(len(segments)))]
    for _ in range(int(chance.integers(0, 3))):
        segments.insert(int(chance.integers(len(segments) + 1)), segment)
    segments.remove(segment)
    return jpeg_joined(segments, rest)


def jpeg_metadata(chance, jpeg):
    """Metadata that is broken: EXIF, a colour profile, XMP, a preview, Photoshop's, Adobe's."""
    segments, rest = jpeg_segments(jpeg)
    tiff = struct.pack("<2sHIH", b"II", int(chance.choice([42, 43, 0])), int(chance.choice([8, 2**31])), 3)
    starts = (
        *((0xE1, b"Exif\0\0" + tiff), (0xE1, b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"), (0xE1, b"Exif\0\0")),
        *((0xE2, b"ICC_PROFILE\0\x01\x01"), (0xE2, b"ICC_PROFILE\0\x02\x01"), (0xE2, b"MPF\0II*\0")),
        *((0xE1, b"http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation='6'"), (0xED, b"Photoshop 3.0\x008BIM\x04\x04")),
        *((0xEE, b"Adobe\0\x64"), (0xE0, b"JFIF\0"), (0xFE, b"\xff\xfe")),
    )
    marker, start = starts[int(chance.integers(len(starts)))]
    place = int(chance.integers(len(segments) + 1))
    segments.insert(place, (marker, start + chance.bytes(int(chance.integers(0, 200)))))
    return jpeg_joined(segments, rest)


def jpeg_restart(chance, jpeg):
    """A restart marker where none should be."""
    segments, rest = jpeg_segments(jpeg)
    at = spot(chance, rest, 4)
    return jpeg_joined(segments, rest[:at] + bytes([0xFF, 0xD0 + int(chance.integers(8))]) + rest[at:])


ANY = (flip_bit, flip_bits, overwrite, zero, repeat, lose, cut, cut_short, append, insert, swap, header)
PNG = (png_chunk_bit, png_checksum, png_chunk_order, png_strange_chunk, png_rows, png_size)
JPEG = (jpeg_segment_byte, jpeg_segment_order, jpeg_metadata, jpeg_restart)


def ways(data):
    """The ways to damage this file."""
    return (*ANY, *PNG * 2) if data.startswith(PNG_START) else (*ANY, *JPEG * 2) if data[:2] == b"\xff\xd8" else ANY
