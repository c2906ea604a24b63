"""The questions that a page asks: each a path, and what answers it."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from bluesky_gp.recording import read_journal
from bluesky_gp.view.answers import answer
from bluesky_gp.view.course import course_of
from bluesky_gp.view.frames import Frame
from bluesky_gp.view.hands import answer_to, ask, standing
from bluesky_gp.view.painting import Painter
from bluesky_gp.view.place import Place
from bluesky_gp.view.reasons import why_here

if TYPE_CHECKING:
    from bluesky_gp.view.moments import Moment


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
            Route(f"{moment}/health", self.health),
            Route(f"{moment}/instead", self.instead, methods=["POST"]),
            Route(f"{moment}/target", self.target, methods=["POST"]),
            Route(f"{moment}/files/{{name}}", self.file),
            Route(f"{run}/spectra/{{pixel:int}}", self.spectrum),
            Route(f"{run}/hands", self.standing),
            Route(f"{run}/hands", self.ask, methods=["POST"]),
            Route(f"{run}/hands/{{name}}", self.answered),
            Route(f"{run}/verify", self.verify, methods=["POST"]),
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
        return _frame(self._painter.frame(request.path_params["uid"], request.path_params["number"]))

    def pixel(self, request: Request) -> Response:
        """Answer why a pixel was chosen, or not."""
        return answer(why_here(self._moment(request), request.path_params["pixel"]))

    def spectrum(self, request: Request) -> Response:
        """Answer with the spectrum that was measured last at a pixel."""
        from bluesky_gp.view.reasons import spectrum_of

        record = self._place.followed(request.path_params["uid"]).record()
        return answer({"spectrum": spectrum_of(record, request.path_params["pixel"])})

    def health(self, request: Request) -> Response:
        """Answer with the bill of health as of a decision."""
        from bluesky_gp.view.health import health_of

        return answer([asdict(finding) for finding in health_of(self._moment(request))])

    async def instead(self, request: Request) -> Response:
        """Answer with what another rule would have chosen."""
        from bluesky_gp.view.instead import instead

        wishes = await _wishes(request)
        return _frame(await run_in_threadpool(instead, self._moment(request), wishes))

    async def target(self, request: Request) -> Response:
        """Answer with the map of another target of the same spectra."""
        from bluesky_gp.view.targets import target_map

        wish = await _wishes(request)
        return _frame(await run_in_threadpool(target_map, self._moment(request), wish))

    def file(self, request: Request) -> Response:
        """Answer with a file of the run as of a decision."""
        from bluesky_gp.view.downloads import download

        moment = self._moment(request)
        record = replace(moment.as_of(), maps=self._painter.maps(moment))
        body, media_type = download(record, request.path_params["name"])
        return Response(body, media_type=media_type)

    def standing(self, request: Request) -> Response:
        """Answer how the session of a run that goes on stands."""
        run = self._place.followed(request.path_params["uid"])
        return answer({"lives": False} if run.record().stop else standing(run.uid))

    async def ask(self, request: Request) -> Response:
        """Put an action into the mailbox of a run that goes on."""
        run, wish = self._place.followed(request.path_params["uid"]), await _wishes(request)
        if run.record().stop:
            raise ValueError("the run has ended: nobody would answer")
        return answer(ask(run.uid, wish, self._place.journal))

    def answered(self, request: Request) -> Response:
        """Answer what the session said to an action."""
        return answer(answer_to(request.path_params["uid"], request.path_params["name"]))

    def verify(self, request: Request) -> Response:
        """Answer whether the record of a run keeps the contract, clause by clause; its decisions are made again."""
        from bluesky_gp.verify import verify

        journal = self._place.followed(request.path_params["uid"]).journal
        return answer([asdict(clause) for clause in verify(list(read_journal(journal)))])

    def _moment(self, request: Request) -> "Moment":
        return self._painter.moment(request.path_params["uid"], request.path_params["number"])


async def _wishes(request: Request) -> dict[str, Any]:
    wishes = json.loads(await request.body())
    if not isinstance(wishes, dict):
        raise ValueError(f"a question is a mapping, got {wishes!r:.80}")
    return wishes


def _frame(frame: Frame) -> Response:
    return Response(frame.body, media_type="application/octet-stream", headers={"content-encoding": "deflate"})
