from .items import ItemGoneError as ItemGoneError
from .items import QueueRefusedError as QueueRefusedError
from .queue_agent import Ended as Ended
from .queue_agent import QueueAgent as QueueAgent
