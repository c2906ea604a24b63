"""Queue a map, start the queue, and wait for its run: ``python queue_map.py 410``."""

import sys
import time
from uuid import uuid4

from bluesky_queueserver_api import BPlan
from bluesky_queueserver_api.zmq import REManagerAPI

manager = REManagerAPI(timeout_recv=20)  # or that of bluesky_queueserver_api.http, over an HTTP server
if not manager.status(reload=True)["worker_environment_exists"]:
    manager.environment_open()
until = time.monotonic() + 120
while (status := manager.status(reload=True))["manager_state"] != "idle" or not status["worker_environment_exists"]:
    time.sleep(0.3)
    if time.monotonic() > until:
        sys.exit("the worker's environment did not open: the log of the manager says why")

correlation = str(uuid4())  # in the start document: the item and its run find each other by it
item = BPlan(
    "adaptive_map", ["spectrometer"], "stage", "agent", num=int(sys.argv[1]), md={"correlation_uid": correlation}
)
uid = manager.item_add(item)["item"]["item_uid"]
print("queued", uid)
manager.queue_start()
while not (ended := [i["result"] for i in manager.history_get(reload=True)["items"] if i["item_uid"] == uid]):
    time.sleep(0.3)
print(ended[0]["exit_status"], *ended[0]["run_uids"], "correlation", correlation)
manager.close()
