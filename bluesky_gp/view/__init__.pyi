from .address import Address as Address
from .app import page_app as page_app
from .place import Place as Place
from .serving import serve_page as serve_page
