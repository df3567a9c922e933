#!/usr/bin/env python3
"""The policies of perennial/data/augment.h by Pillow, image by image, as training pipelines in Python do it.

Prints images/s on one core, the peer figure for bench_augment. Needs pillow and numpy.
Usage: python3 augment_pil.py [--images N] [--size 32]
"""
import argparse
import random
import time

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

CUTOUT = (125, 122, 113)


def signed(value):
    return value if random.random() < 0.5 else -value


def affine(image, matrix, resample=Image.Resampling.NEAREST, fill=(0, 0, 0)):
    return image.transform(image.size, Image.Transform.AFFINE, matrix, resample, fillcolor=fill)


def cutout(image, size):
    image = image.copy()
    width, height = image.size
    x, y, half = random.randrange(width), random.randrange(height), size // 2
    box = (max(0, x - half), max(0, y - half), min(width, x + half) - 1, min(height, y + half) - 1)
    ImageDraw.Draw(image).rectangle(box, fill=CUTOUT)
    return image


def crop_flip(image):
    width, height = image.size
    padded = ImageOps.expand(image, 4)
    left, top = random.randint(0, 8), random.randint(0, 8)
    image = padded.crop((left, top, left + width, top + height))
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if random.random() < 0.5 else image


def factor(level):
    return level * 1.8 / 10 + 0.1


UDA_OPS = [
    lambda i, l: ImageOps.invert(i),
    lambda i, l: cutout(i, 2 * l),
    lambda i, l: ImageEnhance.Sharpness(i).enhance(factor(l)),
    lambda i, l: ImageOps.autocontrast(i),
    lambda i, l: ImageOps.posterize(i, 4 - l * 4 // 10),
    lambda i, l: affine(i, (1, signed(0.03 * l), 0, 0, 1, 0)),
    lambda i, l: affine(i, (1, 0, signed(l), 0, 1, 0)),
    lambda i, l: affine(i, (1, 0, 0, 0, 1, signed(l))),
    lambda i, l: affine(i, (1, 0, 0, signed(0.03 * l), 1, 0)),
    lambda i, l: i.rotate(signed(3 * l)),
    lambda i, l: ImageOps.equalize(i),
    lambda i, l: ImageEnhance.Contrast(i).enhance(factor(l)),
    lambda i, l: ImageEnhance.Color(i).enhance(factor(l)),
    lambda i, l: ImageOps.solarize(i, 256 - l * 256 // 10),
    lambda i, l: ImageEnhance.Brightness(i).enhance(factor(l)),
]
UDA_ATOMS = [(op, level) for op in UDA_OPS for level in range(1, 10)]


def two_of(atoms, image):
    for op, level in (random.choice(atoms), random.choice(atoms)):
        if random.random() < 0.5:
            image = op(image, level)
    return image


GREY = (128, 128, 128)
BITS = (8, 8, 7, 7, 6, 6, 5, 5, 4, 4)


def part(level):
    return 150 / 331 * level / 9


AUTO_OPS = {
    "invert": UDA_OPS[0],
    "autocontrast": UDA_OPS[3],
    "equalize": UDA_OPS[10],
    "posterize": lambda i, l: ImageOps.posterize(i, BITS[l]),
    "solarize": lambda i, l: ImageOps.solarize(i, 256 - l * 256 / 9),
    "rotate": lambda i, l: i.rotate(30 * l / 9, fillcolor=GREY),
    "sharpness": lambda i, l: ImageEnhance.Sharpness(i).enhance(1 + signed(0.1 * l)),
    "contrast": lambda i, l: ImageEnhance.Contrast(i).enhance(1 + signed(0.1 * l)),
    "colour": lambda i, l: ImageEnhance.Color(i).enhance(1 + signed(0.1 * l)),
    "brightness": lambda i, l: ImageEnhance.Brightness(i).enhance(1 + signed(0.1 * l)),
    "shearY": lambda i, l: affine(i, (1, 0, 0, signed(0.3 * l / 9), 1, 0), Image.Resampling.BICUBIC, GREY),
    "translateX": lambda i, l: affine(i, (1, 0, signed(part(l)) * i.width, 0, 1, 0), fill=GREY),
    "translateY": lambda i, l: affine(i, (1, 0, 0, 0, 1, signed(part(l)) * i.height), fill=GREY),
}
POLICY = """
invert .1 7 contrast .2 6; rotate .7 2 translateX .3 9; sharpness .8 1 sharpness .9 3; shearY .5 8 translateY .7 9;
autocontrast .5 8 equalize .9 2; shearY .2 7 posterize .3 7; colour .4 3 brightness .6 7;
sharpness .3 9 brightness .7 9; equalize .6 5 equalize .5 1; contrast .6 7 sharpness .6 5; colour .7 7 translateX .5 8;
equalize .3 7 autocontrast .4 8; translateY .4 3 sharpness .2 6; brightness .9 6 colour .2 8; solarize .5 2 invert 0 3;
equalize .2 0 autocontrast .6 0; equalize .2 8 equalize .6 4; colour .9 9 equalize .6 6; autocontrast .8 4 solarize .2 8;
brightness .1 3 colour .7 0; solarize .4 5 autocontrast .9 3; translateY .9 9 translateY .7 9;
autocontrast .9 2 solarize .8 3; equalize .8 8 invert .1 3; translateY .7 9 autocontrast .9 1
"""
AUTO_POLICY = [[(AUTO_OPS[w[0]], float(w[1]), int(w[2])) for w in (line.split()[:3], line.split()[3:])]
               for line in POLICY.split(";")]


# The pip package `randaugment`: AutoAugment's operations and two more.
RAND_ATOMS = [(op, level) for op in [
    *AUTO_OPS.values(),
    lambda i, l: cutout(i, round(20 * l / 9)),
    lambda i, l: affine(i, (1, signed(0.3 * l / 9), 0, 0, 1, 0), Image.Resampling.BICUBIC, GREY),
] for level in range(1, 10)]


def autoaugment(image):
    for op, probability, level in random.choice(AUTO_POLICY):
        if random.random() < probability:
            image = op(image, level)
    return image


def pictures(count, size):
    """The kind of picture bench_augment draws: gradients with a little noise."""
    rng = np.random.default_rng(1)
    base = rng.uniform(20, 120, (count, 1, 1, 3))
    dx, dy = rng.uniform(0, 2, (2, count, 1, 1, 3))
    axis = np.arange(size) * 32 / size
    values = base + dx * axis[None, None, :, None] + dy * axis[None, :, None, None]
    return (values + rng.uniform(0, 6, values.shape)).astype(np.uint8)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=20000)
    parser.add_argument("--size", type=int, default=32)
    arguments = parser.parse_args()
    arrays = pictures(arguments.images, arguments.size)
    random.seed(1)
    policies = {"crop,flip": crop_flip, "cutout": lambda i: cutout(i, 16), "autoaugment": autoaugment,
                "randaugment": lambda i: two_of(RAND_ATOMS, i), "randaugment_uda": lambda i: two_of(UDA_ATOMS, i)}
    for name, policy in policies.items():
        start = time.process_time()  # processor time, as bench_augment counts
        for array in arrays:
            np.asarray(policy(Image.fromarray(array)))
        rate = len(arrays) / (time.process_time() - start)
        print(f"augment/{name}/3x{arguments.size}x{arguments.size} {rate:.0f} images/s")


if __name__ == "__main__":
    main()
