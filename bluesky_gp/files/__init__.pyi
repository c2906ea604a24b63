from .reading import find_file as find_file
from .reading import read_spectra as read_spectra
from .signals import AXIS_NAMES as AXIS_NAMES
from .spectrum_image import SpectrumImage as SpectrumImage
