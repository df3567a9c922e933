"""The edge runtime's C interface (edge/perennial_edge.h) from Python, as far as the benchmarks need it."""
import ctypes

import numpy


class Port(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("channels", ctypes.c_int32), ("height", ctypes.c_int32), ("width", ctypes.c_int32), ("is_image", ctypes.c_int32)]


class Library:
    def __init__(self, path):
        self.c = ctypes.CDLL(path)
        pointers = {"pe_open": ctypes.c_void_p, "pe_input": ctypes.POINTER(ctypes.c_float), "pe_output": ctypes.POINTER(ctypes.c_float),
                    "pe_error": ctypes.c_char_p, "pe_classes_open": ctypes.c_void_p, "pe_classes_name": ctypes.c_char_p,
                    "pe_classes_bytes": ctypes.c_size_t}
        for name, kind in pointers.items():
            getattr(self.c, name).restype = kind

    def check(self, good):
        if not good:
            raise RuntimeError(self.c.pe_error().decode())


class Network:
    def __init__(self, library, path):
        self.library, self.c = library, library.c
        self.model = ctypes.c_void_p(self.c.pe_open(str(path).encode()))
        library.check(self.model.value is not None)
        port = Port()
        library.check(self.c.pe_describe_input(self.model, 0, ctypes.byref(port)) == 0)
        self.input = numpy.ctypeslib.as_array(self.c.pe_input(self.model, 0), (port.channels, port.height, port.width))
        self.outputs = []
        for i in range(self.c.pe_outputs(self.model)):
            library.check(self.c.pe_describe_output(self.model, i, ctypes.byref(port)) == 0)
            self.outputs.append(numpy.ctypeslib.as_array(self.c.pe_output(self.model, i), (port.channels,)))

    def set_image(self, rgb):
        height, width, _ = rgb.shape
        rgb = numpy.ascontiguousarray(rgb)
        self.library.check(self.c.pe_set_image(self.model, 0, rgb.ctypes.data_as(ctypes.c_void_p), width, height, ctypes.c_size_t(3 * width), 3) == 0)

    def run(self):
        self.library.check(self.c.pe_run(self.model) == 0)

    def find(self, name):
        return self.c.pe_find_output(self.model, name.encode())


class Classes:
    def __init__(self, network, path, output):
        self.c, self.library, self.network, self.output = network.c, network.library, network, output
        self.classes = ctypes.c_void_p(self.c.pe_classes_open(str(path).encode(), network.model, output, ctypes.c_size_t(0)))
        self.library.check(self.classes.value is not None)

    def learn(self, name):
        self.library.check(self.c.pe_classes_learn(self.classes, name.encode(), self.c.pe_output(self.network.model, self.output)) == 0)

    def predict(self):
        best = self.c.pe_classes_predict(self.classes, self.c.pe_output(self.network.model, self.output), None)
        self.library.check(best >= 0)
        return self.c.pe_classes_name(self.classes, best).decode()

    def save(self):
        self.library.check(self.c.pe_classes_save(self.classes) == 0)

    def bytes(self):
        return self.c.pe_classes_bytes(self.classes)

    def close(self):
        self.c.pe_classes_close(self.classes)
