from .agent_server import AgentServer as AgentServer
from .items import ItemGoneError as ItemGoneError
from .items import QueueRefusedError as QueueRefusedError
from .queue_agent import Ended as Ended
from .queue_agent import QueueAgent as QueueAgent
from .remote_agent import NoAgentError as NoAgentError
from .remote_agent import RemoteAgent as RemoteAgent
