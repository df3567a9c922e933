#!/usr/bin/env python3
"""Writes image_goldens.inc: small files in many forms and what Pillow sees in them, upright and over white.
usage: make_image_goldens.py [OUT]      needs Pillow and NumPy; seeds of the image fuzzer go to fuzz/corpus/image"""
import io
import pathlib
import struct
import sys
import zlib

import numpy as np
from PIL import Image, ImageOps, PngImagePlugin

HERE = pathlib.Path(__file__).parent
H, W = 5, 7
rng = np.random.default_rng(3)
RGB = np.stack([np.add.outer(np.arange(H) * 40, np.arange(W) * 9), np.add.outer(np.arange(H) * 5, np.arange(W) * 30),
                np.add.outer(np.arange(H) * -20, np.arange(W) * -12) + 230], 2).clip(0, 255).astype(np.uint8)
ALPHA = np.add.outer(np.arange(H) * 60, np.arange(W) * 2).clip(0, 255).astype(np.uint8)
RGBA = np.dstack([RGB, ALPHA])
rgb, rgba = Image.fromarray(RGB), Image.fromarray(RGBA)
grey = rgb.convert("L")
palette = rgb.quantize(16)


def saved(image, form, **how):
    out = io.BytesIO()
    image.save(out, form, **how)
    return out.getvalue()


def exif(kind, value, order="<"):
    """A TIFF block with the orientation as SHORT (3) or LONG (4)."""
    field = struct.pack(order + "HHIHH", 0x112, 3, 1, value, 0) if kind == 3 else struct.pack(order + "HHII", 0x112, 4, 1, value)
    return (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, 1) + field + b"\0" * 4


def xmp(attribute, value):
    inside = (f'<rdf:Description tiff:Orientation="{value}"/>' if attribute else
              f"<rdf:Description><tiff:Orientation>{value}</tiff:Orientation></rdf:Description>")
    return (f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:tiff="http://ns.adobe.com/tiff/1.0/">{inside}'
            "</rdf:RDF></x:xmpmeta>").encode()


def raw(name, data):
    """A profile as ImageMagick writes it."""
    digits = data.hex()
    return f"\n{name}\n{len(data):8}\n" + "\n".join(digits[i:i + 72] for i in range(0, len(digits), 72)) + "\n"


def with_text(key, text, packed):
    info = PngImagePlugin.PngInfo()
    info.add_text(key, text, zip=packed)
    return saved(rgb, "PNG", pnginfo=info)


def with_itxt(text, packed):
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", text, "", "", zip=packed)
    return saved(rgb, "PNG", pnginfo=info)


def segment(jpeg, content):
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content + jpeg[2:]


def bmp(bits, rows, compression=0, header=40, height=H, masks=b"", colours=b""):
    """A bitmap by hand; rows are the bytes as stored."""
    size = 14 + header + len(masks) * (header == 40) + len(colours)
    if header == 12:
        info = struct.pack("<IHHHH", 12, W, height, 1, bits)
    else:
        info = struct.pack("<IiiHHIIiiII", header, W, height, 1, bits, compression, len(rows), 0, 0, 0, 0)
        info += masks if header == 40 else masks.ljust(header - 40, b"\0")
    return b"BM" + struct.pack("<IHHI", size + len(rows), 0, 0, size) + info + colours + rows


def padded(row):
    return row + b"\0" * (-len(row) % 4)


INDEX = (np.add.outer(np.arange(H), np.arange(W)) % 4).astype(np.uint8)
COLOURS = [(10, 20, 30), (200, 100, 50), (0, 255, 128), (255, 255, 0)]
four = b"".join(bytes([b, g, r, 0]) for r, g, b in COLOURS) + b"\0\0\0\0" * 12
many = four + b"\0\0\0\0" * 240
bgr = lambda rows: b"".join(padded(bytes(row[:, ::-1].tobytes())) for row in rows)
word565 = lambda p: (int(p[0]) >> 3) << 11 | (int(p[1]) >> 2) << 5 | int(p[2]) >> 3
words = lambda f: b"".join(padded(b"".join(struct.pack("<H", f(p)) for p in row)) for row in RGB[::-1])
# Runs, an absolute run of odd length, a step to the right, ends of lines.
rle8 = b"".join([bytes([7, 1, 0, 0]), bytes([0, 5, 0, 1, 2, 3, 0, 0, 2, 2, 0, 0]), bytes([7, 3, 0, 0]),
                 bytes([2, 1, 0, 2, 2, 0, 3, 2, 0, 0]), bytes([7, 0, 0, 1])])
rle4 = b"".join([bytes([7, 0x12, 0, 0]), bytes([0, 5, 0x01, 0x23, 0x00, 0x00, 2, 0x22, 0, 0]), bytes([7, 0x33, 0, 0]),
                 bytes([7, 0x10, 0, 0]), bytes([7, 0, 0, 1])])

JPEG = saved(rgb, "JPEG", quality=95, subsampling=0)
SIXTEEN = (RGB[..., 0].astype(np.uint16) << 8) + 77

files = {
    "jpeg_exif_long": segment(JPEG, b"Exif\0\0" + exif(4, 6)),
    "jpeg_exif_long_big": segment(JPEG, b"Exif\0\0" + exif(4, 8, ">")),
    "jpeg_xmp_attribute": segment(JPEG, b"http://ns.adobe.com/xap/1.0/\0" + xmp(True, 6)),
    "jpeg_xmp_element": segment(JPEG, b"http://ns.adobe.com/xap/1.0/\0" + xmp(False, 3)),
    "jpeg_exif_before_xmp": segment(segment(JPEG, b"http://ns.adobe.com/xap/1.0/\0" + xmp(True, 6)), b"Exif\0\0" + exif(3, 8)),
    "png_exif": saved(rgb, "PNG", exif=exif(3, 6)),
    "png_raw_exif": with_text("Raw profile type exif", raw("exif", b"Exif\0\0" + exif(3, 5)), True),
    "png_raw_exif_plain": with_text("Raw profile type exif", raw("exif", exif(3, 7)), False),
    "png_raw_app1": with_text("Raw profile type APP1", raw("generic profile", b"Exif\0\0" + exif(3, 8, ">")), True),
    "png_xmp": with_itxt(xmp(True, 6).decode(), False),
    "png_xmp_packed": with_itxt(xmp(False, 4).decode(), True),
    "webp_lossy": saved(rgb, "WEBP", quality=80),
    "webp_lossless": saved(rgb, "WEBP", lossless=True),
    "webp_alpha": saved(rgba, "WEBP", lossless=True, exact=True),
    "webp_lossy_alpha": saved(rgba, "WEBP", quality=80),
    "webp_exif": saved(rgb, "WEBP", lossless=True, exif=exif(3, 6)),
    "webp_xmp": saved(rgb, "WEBP", lossless=True, xmp=xmp(True, 8)),
    "webp_animated": saved(rgb, "WEBP", lossless=True, save_all=True, append_images=[rgb.rotate(180)], duration=100),
    "gif": saved(palette, "GIF", interlace=0),
    "gif_interlaced": saved(palette, "GIF", interlace=1),
    "gif_transparent": saved(palette, "GIF", transparency=3),
    "gif_animated": saved(palette, "GIF", save_all=True, append_images=[palette.rotate(180)], duration=100),
    "gif_grey": saved(grey, "GIF"),
    "bmp_1": saved(rgb.convert("1"), "BMP"),
    "bmp_grey": saved(grey, "BMP"),
    "bmp_palette": saved(palette, "BMP"),
    "bmp_24": saved(rgb, "BMP"),
    "bmp_alpha": bmp(32, b"".join(bytes([b, g, r, a]) for row in RGBA[::-1] for r, g, b, a in row), 3, 108,
                     masks=struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)),
    "bmp_32_unused_byte": bmp(32, b"".join(bytes([b, g, r, 9]) for row in RGB[::-1] for r, g, b in row)),
    "bmp_top_down": bmp(24, bgr(RGB), height=-H),
    "bmp_os2": bmp(24, bgr(RGB[::-1]), header=12),
    "bmp_555": bmp(16, words(lambda p: (int(p[0]) >> 3) << 10 | (int(p[1]) >> 3) << 5 | int(p[2]) >> 3)),
    "bmp_565": bmp(16, words(word565), 3, masks=struct.pack("<III", 0xF800, 0x7E0, 0x1F)),
    "bmp_4": bmp(4, b"".join(padded(bytes([row[0] << 4 | row[1], row[2] << 4 | row[3], row[4] << 4 | row[5], row[6] << 4]))
                             for row in INDEX[::-1]), colours=four),
    "bmp_rle8": bmp(8, rle8, 1, colours=many),
    "bmp_rle4": bmp(4, rle4, 2, colours=four),
    "tiff": saved(rgb, "TIFF"),
    "tiff_big_endian": None,
    "tiff_1": saved(rgb.convert("1"), "TIFF"),
    "tiff_group4": saved(rgb.convert("1"), "TIFF", compression="group4"),
    "tiff_grey": saved(grey, "TIFF", compression="packbits"),
    "tiff_palette": saved(palette, "TIFF", compression="tiff_lzw"),
    "tiff_deflate": saved(rgb, "TIFF", compression="tiff_adobe_deflate"),
    "tiff_alpha": saved(rgba, "TIFF"),
    "tiff_grey_alpha": saved(Image.merge("LA", [grey, Image.fromarray(ALPHA)]), "TIFF"),
    "tiff_cmyk": saved(rgb.convert("CMYK"), "TIFF"),
    "tiff_orientation": saved(rgb, "TIFF", tiffinfo={0x112: 6}),
    "tiff_16": saved(Image.fromarray(SIXTEEN), "TIFF"),
    "tiff_pages": saved(rgb, "TIFF", save_all=True, append_images=[rgb.rotate(180)]),
}
grey_mm = grey.tobytes()
entries = [(256, 4, W), (257, 4, H), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1), (278, 4, H), (279, 4, H * W)]
files["tiff_big_endian"] = (b"MM\0*" + struct.pack(">I", 8 + H * W + 1) + grey_mm + b"\0" + struct.pack(">H", len(entries)) +
    b"".join(struct.pack(">HHI", t, k, 1) + (struct.pack(">I", v) if k == 4 else struct.pack(">HH", v, 0)) for t, k, v in entries) +
    b"\0\0\0\0")


def seen(name, data):
    image = Image.open(io.BytesIO(data))
    image.seek(0)
    if name == "tiff_16":
        return np.repeat(((SIXTEEN.astype(np.int64) + 128) // 257)[..., None], 3, 2)
    if name == "png_raw_app1":  # Pillow does not know this one
        image = image.transpose(Image.Transpose.ROTATE_90)
    pixels = np.asarray(ImageOps.exif_transpose(image).convert("RGBA")).astype(np.int64)
    alpha = pixels[..., 3:]
    return (pixels[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255


def text(data):
    return "".join(f"\\x{b:02x}" for b in data)


def lines(name, value):
    literals = "\n     ".join(f'"{text(value[i:i + 54])}"' for i in range(0, len(value), 54))
    return f"     std::string_view({literals}, {len(value)})"


out = ["// Made by make_image_goldens.py.\n"]
for name, data in files.items():
    pixels = seen(name, data)
    planar = pixels.transpose(2, 0, 1).astype(np.uint8).tobytes()
    out.append(f'    {{"{name}", {pixels.shape[0]}, {pixels.shape[1]},\n{lines(name, data)},\n{lines(name, planar)}}},\n')
    ending = name.split("_")[0]
    (HERE.parents[1] / "fuzz/corpus/image" / f"{name}.{ending}").write_bytes(data)
pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else HERE / "image_goldens.inc").write_text("".join(out))
