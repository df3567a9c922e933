#!/usr/bin/env python3
"""Regenerates augment_goldens.inc: what Pillow makes of a few small images, for augment_golden_test.cpp.

Usage: python3 make_augment_goldens.py > augment_goldens.inc    (needs pillow and numpy)
"""
import numpy as np
import PIL
from PIL import Image, ImageEnhance, ImageOps

GREY, BLACK = 128, 0


def picture(kind, channels, height, width):
    """The formula is repeated in the test."""
    image = np.zeros((channels, height, width), dtype=np.int64)
    for c in range(channels):
        for y in range(height):
            for x in range(width):
                if kind == "texture":
                    value = x * 7 + y * 13 + c * 29 + ((x * y * (c + 1)) % 31) * 5
                else:  # "dull": few values, low contrast, one flat channel
                    value = 90 + c * 10 + (0 if c == 1 else (x // 2 + y) % 5 * 9)
                image[c, y, x] = value % 256
    return image.astype(np.uint8)


def to_pil(image):
    return Image.fromarray(image[0] if image.shape[0] == 1 else np.ascontiguousarray(image.transpose(1, 2, 0)))


def from_pil(image):
    array = np.asarray(image)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def transform(matrix, resample, fill):
    def run(image):
        colour = fill if image.mode == "L" else (fill,) * 3
        return image.transform(image.size, Image.Transform.AFFINE, matrix, resample, fillcolor=colour)

    return run


def rotate(degrees, fill):
    return lambda image: image.rotate(degrees, fillcolor=fill if image.mode == "L" else (fill,) * 3)


def enhance(kind, factor):
    return lambda image: kind(image).enhance(factor)


def operations():
    nearest, bicubic = Image.Resampling.NEAREST, Image.Resampling.BICUBIC
    yield "invert", 0, ImageOps.invert
    yield "autocontrast", 0, ImageOps.autocontrast
    yield "equalize", 0, ImageOps.equalize
    for threshold in (0, 26, 128, 200, 256):
        yield "solarize", threshold, lambda image, t=threshold: ImageOps.solarize(image, t)
    for bits in (1, 4, 7, 8):
        yield "posterize", bits, lambda image, b=bits: ImageOps.posterize(image, b)
    for factor in (0.1, 0.46, 1.0, 1.36, 1.9):
        yield "brightness", factor, enhance(ImageEnhance.Brightness, factor)
        yield "contrast", factor, enhance(ImageEnhance.Contrast, factor)
        yield "colour", factor, enhance(ImageEnhance.Color, factor)
        yield "sharpness", factor, enhance(ImageEnhance.Sharpness, factor)
    for degrees in (-90, -27, 3, 6.6666666666666667, 45, 71.3):
        yield "rotate", degrees, rotate(degrees, GREY)
    for slope in (-0.27, 0.03, 0.15, 0.26666666666666666):
        yield "shear_x_nearest", slope, transform((1, slope, 0, 0, 1, 0), nearest, BLACK)
        yield "shear_y_nearest", slope, transform((1, 0, 0, slope, 1, 0), nearest, BLACK)
        yield "shear_x_bicubic", slope, transform((1, slope, 0, 0, 1, 0), bicubic, GREY)
        yield "shear_y_bicubic", slope, transform((1, 0, 0, slope, 1, 0), bicubic, GREY)
    for shift in (-9, -1, 3, 40):
        yield "translate_x", shift, transform((1, 0, shift, 0, 1, 0), nearest, BLACK)
        yield "translate_y", shift, transform((1, 0, 0, 0, 1, shift), nearest, BLACK)
    for level in (-9, -8, 3, 9):  # AutoAugment's part of the side, a broken number of pixels
        part = level / 9 * 150 / 331
        yield "auto_translate_x", level, lambda image, p=part: transform((1, 0, p * image.width, 0, 1, 0), nearest,
                                                                         GREY)(image)
        yield "auto_translate_y", level, lambda image, p=part: transform((1, 0, 0, 0, 1, p * image.height), nearest,
                                                                         GREY)(image)


def fnv1a(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) % 2**64
    return value


def main():
    print(f"// Made by make_augment_goldens.py with Pillow {PIL.__version__}; do not edit. FNV-1a of the planar pixels;")
    print("// the bytes themselves where the image is small.")
    print("// clang-format off")
    pictures = [("texture", 3, 8, 8), ("texture", 1, 5, 7), ("dull", 3, 6, 9), ("texture", 3, 32, 32),
                ("dull", 1, 28, 28), ("texture", 1, 2, 2), ("texture", 3, 64, 48)]
    for kind, channels, height, width in pictures:
        image = picture(kind, channels, height, width)
        for name, value, run in operations():
            out = from_pil(run(to_pil(image)))
            digest = fnv1a(out.tobytes())
            data = out.tobytes().hex() if out.size <= 35 else ""
            value = int(value) if float(value).is_integer() else value
            print(f'{{"{kind}", {channels}, {height}, {width}, "{name}", {value}, 0x{digest:016X}ULL, "{data}"}},')


if __name__ == "__main__":
    main()
