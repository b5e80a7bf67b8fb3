"""A real OpenID provider on loopback: idpyoidc, a certified one, in a process of its own.

`python -m tests.support.provider` reads what it is to be from standard input, as JSON. People sign in there with a form, as
they would anywhere; `/test/…` are the doors by which tests do what administrators of a provider do.
"""

import asyncio
import contextlib
import html
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

CLIENT_ID = "pymeet"
SECRET = "wNfc0n3w2y0qkM8d1pQ5b7rT"
PASSWORD = "one password for everybody there"
KEYS = [{"type": "RSA", "use": ["sig"]}, {"type": "EC", "crv": "P-256", "use": ["sig"]}]
PASSWORD_CLASS = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"


@dataclass
class RunningProvider:
    """The process, as tests see it."""

    issuer: str
    sites: Sequence[str]
    """The servers it knows, all as one client; it tells the first one when somebody signs out."""
    client_id: str = CLIENT_ID
    client_secret: str = SECRET

    def config(self, **more: Any) -> dict[str, Any]:
        """The section `oidc` of a server that uses it."""
        given = {"issuer": self.issuer, "client_id": self.client_id, "client_secret": self.client_secret}
        return {**given, "name": "Example Clinic", **more}

    async def ask(self, what: str, **body: Any) -> Any:
        """Opens one of the doors for tests."""
        async with aiohttp.ClientSession() as http, http.post(f"{self.issuer}/test/{what}", json=body) as response:
            assert response.status == 200, await response.text()
            return await response.json()


@contextlib.asynccontextmanager
async def provider(
    port: int, sites: Sequence[str], people: Mapping[str, Mapping[str, Any]]
) -> AsyncIterator[RunningProvider]:
    """The provider on this port of 127.0.0.1, for servers at `sites`; `people` are user names and claims."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.provider",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps({"port": port, "sites": sites, "people": people}).encode() + b"\n")
        async with asyncio.timeout(20):
            said = await process.stdout.readline()
        assert said == b"ready\n", said
        yield RunningProvider(f"http://127.0.0.1:{port}", sites)
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _settings(issuer: str, directory: Path, people: Mapping[str, Any], login: type) -> dict[str, Any]:
    """What idpyoidc wants to know; all of it stands in its documentation."""
    secrets = [{"type": "OCT", "use": ["enc"], "kid": "enc"}, {"type": "OCT", "use": ["sig"], "kid": "sig"}]
    plain = {"client_authn_method": ["client_secret_basic", "client_secret_post"]}
    oidc = "idpyoidc.server.oidc"
    return {
        "issuer": issuer,
        "httpc_params": {"verify": False, "timeout": 4},
        "key_conf": {"key_defs": KEYS, "uri_path": "jwks"},
        "preference": {
            "subject_types_supported": ["public"],
            "grant_types_supported": ["authorization_code"],
            "response_types_supported": ["code"],
            "scopes_supported": ["openid", "profile", "email", "groups"],
            "id_token_signing_alg_values_supported": ["ES256"],
        },
        "add_ons": {
            "pkce": {
                "function": "idpyoidc.server.oauth2.add_on.pkce.add_support",
                "kwargs": {"essential": True, "code_challenge_methods": {"S256": "x"}},
            }
        },
        "authz": {
            "class": "idpyoidc.server.authz.AuthzHandling",
            "kwargs": {
                "grant_config": {
                    "usage_rules": {
                        "authorization_code": {"supports_minting": ["access_token", "id_token"], "max_usage": 1},
                        "access_token": {},
                    },
                    "expires_in": 3600,
                }
            },
        },
        "authentication": {"user": {"acr": PASSWORD_CLASS, "class": login, "kwargs": {}}},
        "cookie_handler": {
            "class": "idpyoidc.server.cookie_handler.CookieHandler",
            "kwargs": {
                "keys": {"key_defs": secrets, "private_path": str(directory / "cookies.json"), "read_only": False},
                "name": {"session": "op_session", "register": "op_register", "session_management": "op_state"},
            },
        },
        "endpoint": {
            "provider_config": {
                "path": ".well-known/openid-configuration",
                "class": f"{oidc}.provider_config.ProviderConfiguration",
                "kwargs": {"client_authn_method": None},
            },
            "authorization": {
                "path": "authorization",
                "class": f"{oidc}.authorization.Authorization",
                "kwargs": {"client_authn_method": None, "response_types_supported": ["code"]},
            },
            "token": {"path": "token", "class": f"{oidc}.token.Token", "kwargs": plain},
            "userinfo": {"path": "userinfo", "class": f"{oidc}.userinfo.UserInfo", "kwargs": {}},
            "session": {
                "path": "session",
                "class": f"{oidc}.session.Session",
                "kwargs": {
                    "logout_verify_url": f"{issuer}/verify_logout",
                    "post_logout_uri_path": "post_logout",
                    "signing_alg": "ES256",
                    "backchannel_logout_supported": True,
                    "backchannel_logout_session_supported": True,
                },
            },
        },
        "token_handler_args": {
            "key_conf": {"key_defs": [{"type": "OCT", "bytes": 24, "use": ["enc"], "kid": "code"}]},
            "code": {"lifetime": 600},
            "token": {"class": "idpyoidc.server.token.jwt_token.JWTToken", "kwargs": {"lifetime": 3600}},
            "id_token": {"class": "idpyoidc.server.token.id_token.IDToken", "kwargs": {}},
        },
        "userinfo": {"class": "idpyoidc.server.user_info.UserInfo", "kwargs": {"db": dict(people)}},
        "template_dir": str(directory),
    }


def _form(token: str, problem: str = "") -> str:
    """The page on which people sign in there."""
    fields = (
        '<label>User <input name="username"></label> <label>Password <input name="password" type="password"></label>'
    )
    hidden = f'<input type="hidden" name="token" value="{html.escape(token)}">'
    body = f'<h1>Example Clinic</h1><p>{problem}</p><form method="post" action="/verify">{hidden}{fields}<button>Sign in</button></form>'
    return f"<!doctype html><title>Example Clinic</title>{body}"


def _app(issuer: str, sites: Sequence[str], people: dict[str, Any], directory: Path) -> web.Application:
    """The provider behind HTTP; idpyoidc leaves that to whoever uses it."""
    from idpyoidc.message.oauth2 import ResponseMessage
    from idpyoidc.message.oidc import AccessTokenRequest, AuthorizationRequest
    from idpyoidc.server import Server
    from idpyoidc.server.configure import OPConfiguration
    from idpyoidc.server.exception import FailedAuthentication
    from idpyoidc.server.user_authn.user import UserAuthnMethod, create_signed_jwt

    class FormLogin(UserAuthnMethod):
        """A page with two fields; everybody has the same password."""

        def __call__(self, **given: Any) -> str:
            return _form(create_signed_jwt(issuer, self.upstream_get("attribute", "keyjar"), **given))

        def verify(self, **form: Any) -> str:
            if form["username"] not in people or form["password"] != PASSWORD:
                raise FailedAuthentication
            return str(form["username"])

    settings = _settings(issuer, directory, people, FormLogin)
    server = Server(OPConfiguration(conf=settings, base_path=str(directory)))
    server.context.cdb[CLIENT_ID] = {
        "client_id": CLIENT_ID,
        "client_secret": SECRET,
        "redirect_uris": [(f"{site}/oidc/callback", {}) for site in sites],
        "client_salt": "salted",
        "token_endpoint_auth_method": "client_secret_basic",
        "response_types_supported": ["code"],
        "allowed_scopes": ["openid", "profile", "email", "groups"],
        "scopes_to_claims": {
            "openid": ["sub"],
            "profile": ["name"],
            "email": ["email", "email_verified"],
            "groups": ["groups"],
        },
        "post_logout_redirect_uri": [(f"{site}/", {}) for site in sites],
        "backchannel_logout_uri": f"{sites[0]}/oidc/backchannel-logout",
        "id_token_signed_response_alg": "ES256",
    }
    context = server.context
    # who signs out shows a cookie and an ID token; idpyoidc 5.0 asks for a client's own proof as well, and stumbles over it
    server.get_endpoint("session").client_authentication = lambda *_args, **_more: {}
    last_sid: dict[str, str] = {}

    def answer(endpoint: Any, asked: Any, **args: Any) -> web.Response:
        made = endpoint.do_response(request=asked, **args)
        if made.get("response_placement", endpoint.response_placement) == "url":
            response = web.Response(status=302, headers={"Location": made["response"]})
        else:
            response = web.Response(status=made.get("response_code", 200), text=made["response"])
        for name, value in made["http_headers"]:
            response.headers[name] = value
        for cookie in made.get("cookie", []):
            response.set_cookie(cookie["name"], cookie["value"], path="/", httponly=True, samesite="Lax")
        return response

    async def ask(request: web.Request, name: str) -> web.Response:
        endpoint = server.get_endpoint(name)
        info = {
            "headers": {key.lower(): value for key, value in request.headers.items() if key != "Cookie"},
            "method": request.method,
            "url": str(request.url),
            "cookie": [{"name": key, "value": value} for key, value in request.cookies.items()],
        }
        given = dict(request.query) if request.method == "GET" else dict(await request.post())
        asked = endpoint.parse_request(given, http_info=info)
        if isinstance(asked, ResponseMessage) and "error" in asked:
            return web.json_response(asked.to_dict(), status=400)
        if name == "token":
            asked = AccessTokenRequest(**asked)
        args = endpoint.process_request(asked, http_info=info)
        if isinstance(args, ResponseMessage) and "error" in args:
            return web.json_response(args.to_dict(), status=400)
        if "redirect_location" in args:
            raise web.HTTPFound(args["redirect_location"])
        if "http_response" in args:
            return web.Response(text=args["http_response"], content_type="text/html")
        return answer(endpoint, asked, **args)

    async def verify(request: web.Request) -> web.Response:
        method = context.authn_broker.get_method_by_id("user")
        form = await request.post()
        try:
            username = method.verify(**form)
        except FailedAuthentication:
            return web.Response(text=_form(str(form["token"]), "That is wrong."), content_type="text/html")
        begun = method.unpack_token(form["token"])
        asked = AuthorizationRequest().from_urlencoded(begun["query"])
        endpoint = server.get_endpoint("authorization")
        session_id = endpoint.create_session(asked, username, begun["authn_class_ref"], begun["iat"], method)
        last_sid[username] = session_id
        return answer(endpoint, asked, **endpoint.authz_part2(request=asked, session_id=session_id))

    async def verify_logout(request: web.Request) -> web.Response:
        hidden = f'<input type="hidden" name="sjwt" value="{html.escape(request.query["sjwt"])}">'
        form = f'<form method="post" action="/logout">{hidden}<button>Sign out</button></form>'
        page = f"<!doctype html><title>Example Clinic</title><h1>Sign out everywhere?</h1>{form}"
        return web.Response(text=page, content_type="text/html")

    async def logout(request: web.Request) -> web.Response:
        endpoint = server.get_endpoint("session")
        over = endpoint.unpack_signed_jwt((await request.post())["sjwt"])
        await asyncio.to_thread(endpoint.do_verified_logout, over["sid"], True)
        response = web.Response(status=302, headers={"Location": over["redirect_uri"]})
        for cookie in endpoint.kill_cookies():
            response.del_cookie(cookie["name"], path="/")
        return response

    async def test_sign_out(request: web.Request) -> web.Response:
        """What an administrator there does to somebody: signs them out of a server."""
        wanted = await request.json()
        username, site = wanted["user"], wanted.get("site", sites[0])
        endpoint = server.get_endpoint("session")
        _, token = endpoint.do_back_channel_logout(context.cdb[CLIENT_ID], last_sid[username])
        address = f"{site}/oidc/backchannel-logout"
        async with aiohttp.ClientSession() as http, http.post(address, data={"logout_token": token}) as told:
            return web.json_response({"status": told.status, "token": token})

    async def test_age(request: web.Request) -> web.Response:
        """It is longer ago that somebody signed in there."""
        wanted = await request.json()
        event = context.session_manager[last_sid[wanted["user"]]].authentication_event
        event["authn_time"] -= wanted["by_s"]
        return web.json_response({})

    async def test_people(request: web.Request) -> web.Response:
        """Other claims about somebody."""
        for name, claims in (await request.json())["people"].items():
            context.userinfo.db[name] = claims
        return web.json_response({})

    async def test_new_keys(request: web.Request) -> web.Response:
        """The provider signs with other keys from now on."""
        from cryptojwt.key_jar import build_keyjar

        fresh = build_keyjar(KEYS).export_jwks(private=True)
        for owner in ("", issuer):
            server.keyjar.load_keys(owner, jwks=fresh, replace=True)
        return web.json_response({})

    app = web.Application()
    for path, name in (("/.well-known/openid-configuration", "provider_config"), ("/authorization", "authorization")):
        app.router.add_get(path, lambda request, name=name: ask(request, name))
    app.router.add_post("/token", lambda request: ask(request, "token"))
    app.router.add_get("/userinfo", lambda request: ask(request, "userinfo"))
    app.router.add_get("/session", lambda request: ask(request, "session"))
    app.router.add_get("/jwks", lambda _request: _soon(web.json_response(server.keyjar.export_jwks())))
    app.router.add_post("/verify", verify)
    app.router.add_get("/verify_logout", verify_logout)
    app.router.add_post("/logout", logout)
    app.router.add_post("/test/sign-out", test_sign_out)
    app.router.add_post("/test/age", test_age)
    app.router.add_post("/test/people", test_people)
    app.router.add_post("/test/new-keys", test_new_keys)
    return app


async def _soon(response: web.Response) -> web.Response:
    return response


async def _serve() -> None:
    given = json.loads(sys.stdin.readline())
    with tempfile.TemporaryDirectory() as directory:
        issuer = f"http://127.0.0.1:{given['port']}"
        runner = web.AppRunner(_app(issuer, given["sites"], given["people"], Path(directory)))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", given["port"]).start()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)  # until the test closes it
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve())
