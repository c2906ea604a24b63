from .agent import GPAgent as GPAgent
from .decision_events import DecisionEvents as DecisionEvents
from .failures import Failure as Failure
from .failures import reason as reason
from .mailbox import Mailbox as Mailbox
from .next_run import Assignment as Assignment
