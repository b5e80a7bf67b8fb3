"""What monitoring sees."""

from pathlib import Path

from live_server import Visitor, make_config, running, visiting

from pymeet.server import Server


async def test_a_working_server_is_alive_and_ready(visitor: Visitor):
    """Load balancers ask both."""
    assert await visitor.json("GET", "/healthz") == (200, {"alive": True})
    assert await visitor.json("GET", "/readyz") == (200, {"ready": True, "database": True, "media": True})


async def test_a_closed_media_port_makes_it_unready_and_says_so(server: Server, visitor: Visitor):
    """Pages would still load, and nobody would hear anybody."""
    await server.media_port.close()

    assert await visitor.json("GET", "/readyz") == (503, {"ready": False, "database": True, "media": False})


async def test_a_closed_database_makes_it_unready_and_says_so(server: Server, visitor: Visitor):
    """The same for what lasts."""
    await server.database.close()

    assert await visitor.json("GET", "/readyz") == (503, {"ready": False, "database": False, "media": True})


async def test_metrics_need_their_token(tmp_path: Path):
    """They show how much a server is used, which is nobody else's business."""
    config = make_config(tmp_path / "data", http={"metrics_token": "a long random text"})
    async with running(config) as server, visiting(server) as visitor:
        async with visitor.http.get("/metrics") as response:
            assert response.status == 401
            assert response.headers["WWW-Authenticate"].startswith("Bearer")
        for wrong in ("Bearer wrong", "Bearer ", "Basic YTpi", "Bearer ä"):
            async with visitor.http.get("/metrics", headers={"Authorization": wrong}) as response:
                assert response.status == 401
        async with visitor.http.get("/metrics", headers={"Authorization": "Bearer a long random text"}) as response:
            assert response.status == 200
            assert response.content_type == "text/plain"
            assert "pymeet_" in await response.text()
