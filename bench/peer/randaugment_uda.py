"""RandAugment in the UDA style, as the package that Rainbow Memory calls does it: all 18,225 pairs of operations listed
per object, all tables of operations built again for every image, Cutout painted pixel by pixel. The magnitudes are
those of perennial/data/augment/randaugment.h."""
import random

import numpy as np
from PIL import ImageEnhance, ImageOps

from augment_pil import CUTOUT, affine, signed

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
    """Operations by name, and the magnitude of each at levels 0 to 10."""
    factors = np.linspace(0.1, 1.9, 11)
    levels = {
        "invert": [0] * 11,
        "cutout": np.linspace(0, 20, 11),
        "sharpness": factors,
        "autocontrast": [0] * 11,
        "posterize": [4 - l * 4 // 10 for l in range(11)],
        "shearX": np.linspace(0, 0.3, 11),
        "translateX": np.linspace(0, 10, 11),
        "translateY": np.linspace(0, 10, 11),
        "shearY": np.linspace(0, 0.3, 11),
        "rotate": np.linspace(0, 30, 11),
        "equalize": [0] * 11,
        "contrast": factors,
        "colour": factors,
        "solarize": [256 - l * 256 // 10 for l in range(11)],
        "brightness": factors,
    }
    operations = {
        "invert": lambda i, m: ImageOps.invert(i),
        "cutout": paint_cutout,
        "sharpness": lambda i, m: ImageEnhance.Sharpness(i).enhance(m),
        "autocontrast": lambda i, m: ImageOps.autocontrast(i),
        "posterize": lambda i, m: ImageOps.posterize(i, m),
        "shearX": lambda i, m: affine(i, (1, signed(m), 0, 0, 1, 0)),
        "translateX": lambda i, m: affine(i, (1, 0, signed(m), 0, 1, 0)),
        "translateY": lambda i, m: affine(i, (1, 0, 0, 0, 1, signed(m))),
        "shearY": lambda i, m: affine(i, (1, 0, 0, signed(m), 1, 0)),
        "rotate": lambda i, m: i.rotate(signed(m)),
        "equalize": lambda i, m: ImageOps.equalize(i),
        "contrast": lambda i, m: ImageEnhance.Contrast(i).enhance(m),
        "colour": lambda i, m: ImageEnhance.Color(i).enhance(m),
        "solarize": lambda i, m: ImageOps.solarize(i, m),
        "brightness": lambda i, m: ImageEnhance.Brightness(i).enhance(m),
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
