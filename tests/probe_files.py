"""Writers of the files of scanning probes' software, to their published layouts and without the readers' libraries."""

import struct
from itertools import chain

TYPES = {"f4": 2, "f8": 4, "c8": 3, "i2": 0x10, "i4": 0x20}  # of numbers in Igor's Technical Note 003


def write_ibw(path, data, *, steps=(), starts=(), units=(), data_units="", note="", labels=(), order="<"):
    """Write an Igor binary wave of version 5: two headers of 64 and 320 bytes, numbers, note, labels."""

    def four(values, default):
        return [*values, *[default] * 4][:4]

    names = [b"".join(n.encode().ljust(32, b"\0") for n in ["", *part]) if part else b"" for part in four(labels, ())]
    numbers = data.astype(data.dtype.newbyteorder(order)).tobytes(order="F")
    wave = struct.pack(
        f"{order}12xihh6xh32s8x4i4d4d4s16s152x",
        data.size, TYPES[f"{data.dtype.kind}{data.dtype.itemsize}"], 0, 1, b"wave0",
        *four(data.shape, 0), *four(steps, 1.0), *four(starts, 0.0),
        data_units.encode(), b"".join(unit.encode().ljust(4, b"\0") for unit in four(units, "")),
    )  # fmt: skip

    def header(checksum):
        sizes = (320 + len(numbers), 0, len(note), 0, *[0] * 4, *map(len, names), 0, 0, 0)
        return struct.pack(f"{order}2h15i", 5, checksum, *sizes)

    total = sum(struct.unpack(f"{order}192h", header(0) + wave))  # of headers as 2-byte integers, to be made 0
    checksum = (-total + 2**15) % 2**16 - 2**15
    path.write_bytes(b"".join(chain([header(checksum), wave, numbers, note.encode("latin1")], names)))
    return path


def write_spm(path, image, curves=None):
    """Write a file of Bruker's Nanoscope: a text of keys, then 2-byte integers where it says."""
    parts = [("image", '2:Image Data: S [Height] "Height"', image, f"{image.shape[1]}")]
    if curves is not None:
        half = curves.shape[-1] // 2
        parts.append(("force image", '4:Image Data: S [DeflectionError] "Deflection Error"', curves, f"{half} {half}"))
    place, text = 8192, ["*File list", "Version: 0x09300201"]
    for kind, quantity, values, samples in parts:
        text += [f"*Ciao {kind} list", f"Data offset: {place}", f"Data length: {2 * values.size}", "Bytes/pixel: 2"]
        text += [f"Samps/line: {samples}", f"Number of lines: {image.shape[0]}", f"@{quantity}"]
        place += 2 * values.size
    keys = "\r\n".join(f"\\{line}" for line in [*text, "*File list end", ""])
    numbers = b"".join(values.astype("<i2").tobytes() for _, _, values, _ in parts)
    path.write_bytes(keys.encode().ljust(8192, b"\0") + numbers)
    return path
