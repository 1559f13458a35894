"""The served page and the one thing that it can ask for: loopback, a token, and no other host's name."""

import json
from secrets import compare_digest

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from egregium.errors import EgregiumError
from egregium.explorer.live import Live

#: The names under which this machine may be asked for; a page elsewhere that points its own name here has another.
HOSTS = ("127.0.0.1", "localhost")
#: Bytes of a question at most.
LONGEST = 1000
#: What a browser may do with the page: show it, here.
HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY"}


def site(live: Live, page: str, token: str) -> Starlette:
    """GET / is the page, POST /measure of {"a": ..., "b": ...} the numbers there; both want ?token=.

    A wrong token is answered 403, a foreign Host header 400, coordinates that do not fit 422 with a sentence. Nothing
    is written to the disk.
    """

    def allowed(request: Request) -> bool:
        return compare_digest(request.query_params.get("token", "").encode(), token.encode())

    async def shown(request: Request) -> Response:
        return HTMLResponse(page, headers=HEADERS) if allowed(request) else _refused()

    async def measured(request: Request) -> Response:
        if not allowed(request):
            return _refused()
        if len(body := await request.body()) > LONGEST:
            return JSONResponse({"error": "The question is too long."}, 413)
        return await run_in_threadpool(answer, live, body)

    routes = [Route("/", shown), Route("/measure", measured, methods=["POST"])]
    return Starlette(routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS))])


def answer(live: Live, body: bytes) -> JSONResponse:
    """The numbers at the place that `body` names, or a sentence."""
    try:
        asked = json.loads(body)
        if not isinstance(asked, dict):
            raise ValueError("no object")
    except ValueError:
        return JSONResponse({"error": 'Ask with {"a": number, "b": number}.'}, 422)
    try:
        return JSONResponse(live.measured(asked.get("a"), asked.get("b")))
    except EgregiumError as error:
        return JSONResponse({"error": str(error)}, 422)


def _refused() -> Response:
    return PlainTextResponse("This page needs the token of its address, which `egregium explore` printed.", 403)
