"""How different two pictures look: SVG, PNG, and the first frame of a GIF.

A picture becomes squares of 5 px, each the mean of what is in it, in CIELAB. The difference of two squares is the
distance of their colours there (CIE 1976); 2 is the least that an eye sees beside one another.
"""

import base64
import ctypes
import os
import re
import subprocess
import tempfile

import numpy

import programs

SQUARE = 5  # px
# A number whose last digit is another one moves a square by up to 8, a line that lies half a px beside its place by
# up to 10; a label that is shifted by 5 px, or missing, by 30 and more, a mark by 50.
LARGEST = 16
# Rounding moves nothing else; another map of colours moves the mean by 10 and more, a longer axis by 1.
MEAN = 0.3


def library():
    """The cairo that `landscape` itself draws with."""
    linked = subprocess.run(["ldd", programs.landscape], capture_output=True, text=True).stdout
    found = re.search(r"libcairo\.so\S* => (\S+)", linked)
    cairo = ctypes.CDLL(found.group(1) if found else "libcairo.so.2")
    for name in ("cairo_image_surface_create_from_png", "cairo_image_surface_get_data"):
        getattr(cairo, name).restype = ctypes.c_void_p
    return cairo


def pixels_of_png(path):
    """Returns [height, width, 3] of red, green, blue on white, 0 to 1."""
    cairo = library()
    surface = ctypes.c_void_p(cairo.cairo_image_surface_create_from_png(os.fsencode(path)))
    if cairo.cairo_surface_status(surface) != 0:
        raise OSError(f"{path} is no PNG file")
    width, height, stride = (getattr(cairo, f"cairo_image_surface_get_{what}")(surface)
                             for what in ("width", "height", "stride"))
    data = ctypes.string_at(cairo.cairo_image_surface_get_data(surface), height * stride)
    opaque = cairo.cairo_image_surface_get_format(surface) == 1
    cairo.cairo_surface_destroy(surface)
    bgra = numpy.frombuffer(data, numpy.uint8).reshape(height, stride)[:, :4 * width].reshape(height, width, 4) / 255
    premultiplied, opacity = bgra[:, :, 2::-1], 1 if opaque else bgra[:, :, 3:]
    return premultiplied + (1 - opacity)


def pixels(path):
    """Returns the pixels of a picture, one to a px."""
    if path.endswith(".png"):
        return pixels_of_png(path)
    with tempfile.TemporaryDirectory() as folder:
        svg, png = (os.path.join(folder, name) for name in ("p.svg", "p.png"))
        if path.endswith(".gif"):
            with open(path, "rb") as file:
                contents = file.read()
            width, height = (int.from_bytes(contents[i:i + 2], "little") for i in (6, 8))
            with open(svg, "w") as file:
                file.write('<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
                           f'width="{width}" height="{height}"><image width="{width}" height="{height}" '
                           f'xlink:href="data:image/gif;base64,{base64.b64encode(contents).decode()}"/></svg>')
            path = svg
        subprocess.run(["rsvg-convert", "--unlimited", path, "-o", png], check=True)
        return pixels_of_png(png)


def squares(path):
    """Returns the squares of a picture in CIELAB, [rows, columns, 3]."""
    image = pixels(path)
    rows, columns = image.shape[0] // SQUARE, image.shape[1] // SQUARE
    image = image[:rows * SQUARE, :columns * SQUARE].reshape(rows, SQUARE, columns, SQUARE, 3).mean(axis=(1, 3))
    linear = numpy.where(image <= 0.04045, image / 12.92, ((image + 0.055) / 1.055) ** 2.4)
    # Of sRGB, under D65.
    x, y, z = numpy.moveaxis(linear @ numpy.array([[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192],
                                                   [0.1805, 0.0722, 0.9505]]), -1, 0)
    f = [numpy.where(t > 216 / 24389, numpy.cbrt(t), (24389 / 27 * t + 16) / 116)
         for t in (x / 0.95047, y, z / 1.08883)]
    return numpy.stack([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])], axis=-1)


def difference(one, other):
    """Returns (largest, mean) difference of two pictures' squares; infinity where their sizes differ."""
    first, second = squares(one), squares(other)
    if first.shape != second.shape:
        return float("inf"), float("inf")
    distance = numpy.sqrt(((first - second) ** 2).sum(axis=-1))
    return float(distance.max()), float(distance.mean())


def look_alike(one, other):
    largest, mean = difference(one, other)
    return largest <= LARGEST and mean <= MEAN
