from .clauses import CLAUSES as CLAUSES
from .clauses import Clause as Clause
from .clauses import verify as verify
