"""Something that takes alerts, on loopback: what a webhook leads to."""

from __future__ import annotations

from typing import Any

from bridge.simulation import Request, Response, Simulator


class Receiver(Simulator):
    """Keeps every message that it took; faults as every simulator has them."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[dict[str, Any]] = []
        self.status = 200

    def handle(self, request: Request) -> Response:
        """Take a message, if it is sent as the documentation says."""
        assert request.method == "POST"
        assert request.content_type == "application/json"
        assert "authorization" not in request.headers
        if self.status == 200:
            self.messages.append(request.json())
        return Response(self.status, "ok", {"Location": "https://elsewhere.example/"})

    @property
    def webhook(self) -> str:
        """The address for the configuration, with a secret in it."""
        return f"{self.url}/hooks/geheimnis-7f3a?key=hemmelig-91"
