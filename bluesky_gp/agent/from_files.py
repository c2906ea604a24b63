"""The half of an agent that hears of files which detectors write beside the events."""

from event_model import StreamDatum, StreamResource

from bluesky_gp.agent.steering import Progress


class FromFiles:
    """Takes in which frames of what file belong to which events: a target that is written there is read from there."""

    _run: Progress | None

    def stream_resource(self, doc: StreamResource) -> None:
        """Take in that a detector writes a file; raise ValueError if it has the target and cannot be read."""
        if self._run is not None and not self._run.over:
            self._run.heard.stream_resource(doc)

    def stream_datum(self, doc: StreamDatum) -> None:
        """Take in which frames belong to which events."""
        if self._run is not None and not self._run.over:
            self._run.heard.stream_datum(doc)
