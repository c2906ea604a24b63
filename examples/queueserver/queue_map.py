"""Queue a map, start the queue, and wait for its run: ``python queue_map.py 410``."""

import sys
from uuid import uuid4

from bluesky_queueserver_api import BPlan
from bluesky_queueserver_api.zmq import REManagerAPI

manager = REManagerAPI()  # or that of bluesky_queueserver_api.http, over an HTTP server
if not manager.status()["worker_environment_exists"]:
    manager.environment_open()
    manager.wait_for_idle()

correlation = str(uuid4())  # in the start document: the item and its run find each other by it
item = BPlan(
    "adaptive_map", ["spectrometer"], "stage", "agent", num=int(sys.argv[1]), md={"correlation_uid": correlation}
)
print("queued", manager.item_add(item)["item"]["item_uid"])
manager.queue_start()
manager.wait_for_idle(timeout=24 * 3600)
result = manager.history_get()["items"][-1]["result"]
print(result["exit_status"], *result["run_uids"], "correlation", correlation)
manager.close()
