"""RandAugment as a program does it that works like the package which Rainbow Memory calls: all 18,225 pairs of
operations listed per object, all tables of operations built again for every image, Cutout painted pixel by pixel. The
magnitudes are AutoAugment's, as in perennial/data/augment/randaugment.h."""
import random

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from augment_pil import CUTOUT, GREY, affine, signed

NAMES = ("invert", "cutout", "sharpness", "autocontrast", "posterize", "shearX", "translateX", "translateY", "shearY",
         "rotate", "equalize", "contrast", "colour", "solarize", "brightness")


def paint_cutout(image, size):
    image = image.copy()
    width, height = image.size
    x, y, half = random.randrange(width), random.randrange(height), int(size) // 2
    pixels = image.load()
    for row in range(max(0, y - half), min(height, y + half)):
        for column in range(max(0, x - half), min(width, x + half)):
            pixels[column, row] = CUTOUT
    return image


def tables():
    """Operations by name, and the magnitude of each at levels 0 to 9: AutoAugment's."""
    enhance = np.linspace(0, 0.9, 10)
    levels = {
        "invert": [0] * 10,
        "cutout": np.round(np.linspace(0, 20, 10), 0).astype(int),
        "sharpness": enhance,
        "autocontrast": [0] * 10,
        "posterize": np.round(np.linspace(8, 4, 10), 0).astype(int),
        "shearX": np.linspace(0, 0.3, 10),
        "translateX": np.linspace(0, 150 / 331, 10),
        "translateY": np.linspace(0, 150 / 331, 10),
        "shearY": np.linspace(0, 0.3, 10),
        "rotate": np.linspace(0, 30, 10),
        "equalize": [0] * 10,
        "contrast": enhance,
        "colour": enhance,
        "solarize": np.linspace(256, 0, 10),
        "brightness": enhance,
    }
    bicubic = Image.Resampling.BICUBIC
    operations = {
        "invert": lambda i, m: ImageOps.invert(i),
        "cutout": paint_cutout,
        "sharpness": lambda i, m: ImageEnhance.Sharpness(i).enhance(1 + signed(m)),
        "autocontrast": lambda i, m: ImageOps.autocontrast(i),
        "posterize": lambda i, m: ImageOps.posterize(i, int(m)),
        "shearX": lambda i, m: affine(i, (1, signed(m), 0, 0, 1, 0), bicubic, GREY),
        "translateX": lambda i, m: affine(i, (1, 0, signed(m) * i.width, 0, 1, 0), fill=GREY),
        "translateY": lambda i, m: affine(i, (1, 0, 0, 0, 1, signed(m) * i.height), fill=GREY),
        "shearY": lambda i, m: affine(i, (1, 0, 0, signed(m), 1, 0), bicubic, GREY),
        "rotate": lambda i, m: i.rotate(m, fillcolor=GREY),
        "equalize": lambda i, m: ImageOps.equalize(i),
        "contrast": lambda i, m: ImageEnhance.Contrast(i).enhance(1 + signed(m)),
        "colour": lambda i, m: ImageEnhance.Color(i).enhance(1 + signed(m)),
        "solarize": lambda i, m: ImageOps.solarize(i, m),
        "brightness": lambda i, m: ImageEnhance.Brightness(i).enhance(1 + signed(m)),
    }
    return operations, levels


class RandAugment:
    def __init__(self):
        atoms = [(name, level) for name in NAMES for level in range(1, 10)]
        self.pairs = [(first, second) for first in atoms for second in atoms]

    def __call__(self, image):
        pair = random.choice(self.pairs)
        operations, levels = tables()
        for name, level in pair:
            if random.random() < 0.5:
                image = operations[name](image, levels[name][level])
        return image
