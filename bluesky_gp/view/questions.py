"""The questions that a page asks: each a path, and what answers it."""

from collections.abc import Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from bluesky_gp.view.answers import answer
from bluesky_gp.view.course import course_of
from bluesky_gp.view.painting import Painter
from bluesky_gp.view.place import Place
from bluesky_gp.view.reasons import why_here


class Questions:
    """Answers about the runs of a place; plain functions, so that each is answered on a thread of its own."""

    def __init__(self, place: Place, painter: Painter) -> None:
        self._place = place
        self._painter = painter

    @property
    def routes(self) -> list[Route]:
        """Paths and their answers."""
        run, moment = "/runs/{uid}", "/runs/{uid}/decisions/{number:int}"
        return [
            Route("/runs", self.runs),
            Route(run, self.course),
            Route(f"{moment}/maps", self.maps),
            Route(f"{moment}/pixels/{{pixel:int}}", self.pixel),
        ]

    def page(self, path: Path) -> Callable[[Request], Response]:
        """Return what answers with the page itself."""

        def index(_: Request) -> Response:
            return FileResponse(path)

        return index

    def runs(self, _: Request) -> Response:
        """Answer with the list of runs."""
        return answer({"place": self._place.name, "says": self._place.catalog_says, "runs": self._place.runs()})

    def course(self, request: Request) -> Response:
        """Answer with the course of a run; that there is nothing new, if the asker knows all of it."""
        run = self._place.followed(request.path_params["uid"])
        run.record()
        if request.query_params.get("known") == str(run.version):
            return answer({"version": run.version})
        return answer(course_of(run))

    def maps(self, request: Request) -> Response:
        """Answer with the maps of a decision, or of the nearest one that there is."""
        frame = self._painter.frame(request.path_params["uid"], request.path_params["number"])
        return Response(frame.body, media_type="application/octet-stream", headers={"content-encoding": "deflate"})

    def pixel(self, request: Request) -> Response:
        """Answer why a pixel was chosen, or not."""
        uid, number = request.path_params["uid"], request.path_params["number"]
        return answer(why_here(self._painter.moment(uid, number), request.path_params["pixel"]))
