from .arrays import read_array as read_array
from .arrays import read_arrays as read_arrays
from .finding import find_file as find_file
from .reading import read_spectra as read_spectra
from .signals import NoSpectraError as NoSpectraError
from .spectrum_image import SpectrumImage as SpectrumImage
