"""Builds the compiled fast path; everything else about the package stands in pyproject.toml.

Without a compiler the package is installed all the same, and the twin in Python serves.
"""

from Cython.Build import cythonize
from setuptools import Extension, setup

FAST_PATH = Extension(
    "resolver.fast_path.compiled", ["resolver/fast_path/compiled.pyx"], extra_compile_args=["-O3"], optional=True
)

setup(ext_modules=cythonize([FAST_PATH], build_dir="build", language_level=3, quiet=True))
