"""The composition root: builds each object once, starts everything in order and stops it in the reverse one."""

import asyncio
import contextlib
import dataclasses
import errno
import functools
import gc
import os
import resource
import signal
import socket
import sys
from collections.abc import Collection, Coroutine
from ssl import SSLContext
from typing import Any

import structlog
from aiohttp import web
from rich.console import Console
from rich.text import Text
from sqlalchemy.exc import SQLAlchemyError

from pymeet.accounts.oidc import Oidc
from pymeet.accounts.passwords import Passwords
from pymeet.accounts.service import Accounts
from pymeet.accounts.sign_in import SignIn
from pymeet.clock import Clock, SystemClock
from pymeet.config import Config
from pymeet.db.engine import Database
from pymeet.errors import ConfigError, PymeetError
from pymeet.meetings import invitations
from pymeet.meetings.planning import Planning
from pymeet.meetings.service import Meetings
from pymeet.ops import addresses, certificates, memory, reminders, restore_swap, room_tokens, turn
from pymeet.ops.admission import Admission
from pymeet.ops.keeping import Keeping
from pymeet.ops.knocks import Knocks
from pymeet.ops.live_meetings import LiveMeetings
from pymeet.ops.log import configure_log, on_loop_error
from pymeet.ops.looplag import LoopLag, MeasuredLoop
from pymeet.ops.mailer import Mailer
from pymeet.ops.management import ManagementServer, hold_data_dir
from pymeet.ops.metrics import Metrics, Stats
from pymeet.ops.services import open_services
from pymeet.ops.verbs.keys import finish_change
from pymeet.ops.verbs.values import iso
from pymeet.privacy import consent_receipt, receipts, status_text
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.people import DataSubject
from pymeet.recording import recovery
from pymeet.recording.films import Films
from pymeet.recording.service import RecordingService
from pymeet.retention import days
from pymeet.rooms.quality import Grade
from pymeet.rooms.registry import Registry
from pymeet.sfu.dtls import Certificate
from pymeet.sfu.service import Sfu
from pymeet.sfu.tcp import StreamPort, bind_both
from pymeet.sfu.udp import MediaPort
from pymeet.signaling import session
from pymeet.signaling.sign_outs import SignOuts
from pymeet.stepback import share_closely
from pymeet.web.app import forget_attempts, make_app
from pymeet.web.pages import read_client
from pymeet.web.parts import Parts
from pymeet.web.serving import start_runner

log = structlog.get_logger(__name__)

RETRY_S = 3
"""After how many seconds browsers are told to come back when the server stops."""

STOP_S = 4.5
CANCEL_S = 1.0
"""The whole stop takes no longer than this."""


RENEW_EVERY_S = 12 * 3600
"""How often the certificate's files are read again."""

FORGET_EVERY_S = 30
"""How often attempts to sign in are looked through for old ones."""


class Server:
    """One running server. `await Server.start(config)` makes it, `await server.stop()` ends it."""

    def __init__(self, config: Config, clock: Clock, passwords: Passwords) -> None:
        self.config = config
        self.clock = clock
        self._passwords = passwords
        self.first_admin_token: str | None = None
        """The token of the link that makes the first administrator; None once there is one."""
        self._stack = contextlib.AsyncExitStack()
        self._stopped = False
        self.database: Database
        self.registry: Registry
        self.sfu: Sfu
        self.meetings: Meetings
        self.room_token_key: bytes
        self.media_port: MediaPort
        self.media_streams: StreamPort | None = None
        self.lifecycle: Lifecycle
        self.recordings: RecordingService
        self.films: Films
        self.keeping: Keeping
        self.lag: LoopLag
        self.admission: Admission

    @classmethod
    async def start(cls, config: Config, clock: Clock | None = None, passwords: Passwords | None = None) -> "Server":
        """Starts everything; ConfigError with a remedy when something cannot be used, such as a port that is taken.

        `passwords` hashes all passwords of the server; tests hand in one that is quick and protects nothing.
        """
        server = cls(config, clock or SystemClock(), passwords or Passwords(minimum=config.accounts.minimum_password))
        try:
            await server._start()
        except BaseException:
            await server._stack.aclose()
            raise
        return server

    @property
    def url(self) -> str:
        """The address that people open, without a slash at its end."""
        return addresses.public_url(self.config)

    async def stop(self) -> None:
        """Tells everybody, closes what is open, and writes what is not yet written. May be called twice."""
        if self._stopped:
            return
        self._stopped = True
        await self._stack.aclose()

    async def _start(self) -> None:
        # first of all: another server's database must not be migrated, nor its certificate replaced, under its feet
        self._stack.enter_context(hold_data_dir(self.config))
        settled = await asyncio.to_thread(restore_swap.settle, self.config)
        if settled:
            log.warning("a restore that was interrupted is settled", outcome=settled)
        tls = certificates.server_ssl_context(self.config)
        listening = _listen(self.config)
        self._stack.callback(listening.close)
        http = self.config.http.model_copy(update={"port": listening.getsockname()[1]})
        self.config = self.config.model_copy(update={"http": http})
        services = await self._stack.enter_async_context(open_services(self.config, self.clock, self._passwords))
        if await asyncio.to_thread(finish_change, self.config, services.keys):
            log.info("a change of the master key that was interrupted is finished")
        self.database = services.db
        self.meetings = services.meetings
        self.room_token_key = await asyncio.to_thread(services.keys.purpose_key, room_tokens.PURPOSE)
        receipt_key = await asyncio.to_thread(services.keys.purpose_key, receipts.PURPOSE)
        self.lag = lag = LoopLag()
        self.admission = Admission(lag, limit_ms=self.config.rooms.max_lag_ms)
        mailer = Mailer(services.db, self.config, self.clock)
        loop = asyncio.get_running_loop()

        def poke_mail() -> None:
            loop.call_soon_threadsafe(mailer.poke)  # mails are queued from the thread for long work, too

        def poke_films() -> None:
            loop.call_soon_threadsafe(self.films.poke)  # and so are films

        self.lifecycle = dataclasses.replace(
            services.lifecycle,
            config=self.config,
            running_rooms=lambda: self.registry.running(),
            remove_from_meetings=self._remove_from_meetings,
            lag_s=lag.worst_s,
            worst_lag_s=lag.worst_of_ten_s,
            poke_mail=poke_mail,
            consent_withdrawn=self._consent_withdrawn,
            withdraw_from_films=self._withdraw_from_films,
            poke_films=poke_films,
        )
        rsvp_key = await asyncio.to_thread(services.keys.purpose_key, invitations.PURPOSE)
        planning = Planning.of(self.lifecycle, services.meetings, site=self.url, key=rsvp_key)
        self.films = Films(self.lifecycle)
        self.keeping = keeping = Keeping(self.lifecycle, mailer)
        await keeping.prepare()
        self._stack.push_async_callback(keeping.finish)
        self._stack.push_async_callback(services.accounts.record_failures, at_end=True)
        metrics = Metrics(self._stats, lambda: keeping.sweeper.status.gauges())
        live = LiveMeetings(services.db, self.clock, lambda: self.registry)
        services = dataclasses.replace(
            services,
            config=self.config,
            lifecycle=self.lifecycle,
            live=_Live(self),
            films=self.films,
            running=live,
        )
        management = ManagementServer(services, metrics.render)
        await management.start()
        self._stack.push_async_callback(management.stop)
        await services.meetings.close_open_attendance(self.clock.now_ms())
        broken_off = await recovery.prepare(self.lifecycle)
        self.sfu = await self._open_media()
        self.recordings = RecordingService(self.lifecycle, leave=self._leave_recording, poke_films=poke_films)
        # after the rooms are closed, and before the media are
        self._stack.push_async_callback(self.recordings.finish_all)
        knocks = Knocks(services.db, self.clock)
        self.registry = Registry(
            meetings=services.meetings,
            sfu=self.sfu,
            clock=self.clock,
            config=self.config,
            recordings=self.recordings,
            in_force=lambda: self.lifecycle.in_force,
            knocked=knocks.noted,
            check_load=self.admission.check,
        )
        self._run_beside(knocks.run())
        sign_outs = SignOuts(services.accounts.open_sessions)
        self._run_beside(sign_outs.run())
        self._run_beside(self.films.run())
        self._run_beside(reminders.run(planning.reminders))
        self._run_beside(recovery.run(self.lifecycle, broken_off))
        self._run_beside(lag.watch(metrics.observe_lag, self.admission.review))
        self._run_beside(memory.watch(lambda: len(self.sfu.transports)))
        if tls:
            self._run_beside(_renew(tls, self.config))
        parts = Parts(
            config=self.config,
            clock=self.clock,
            database=services.db,
            accounts=services.accounts,
            passwords=self._passwords,
            meetings=services.meetings,
            registry=self.registry,
            signaling=functools.partial(
                session.handle,
                registry=self.registry,
                clock=self.clock,
                sign_outs=sign_outs,
                receipt_of=lambda participant_id, room_id: receipts.issue(
                    receipt_key, participant_id, room_id, self.clock.now_ms()
                ),
                turn=lambda: turn.ice_server(self.config.media.turn, self.clock.now_ms()),
            ),
            media_alive=lambda: self.media_port.alive,
            media_ways=lambda: self.sfu.ways(self.clock.monotonic()),
            room_token_key=self.room_token_key,
            metrics=metrics.render,
            lifecycle=self.lifecycle,
            receipt_key=receipt_key,
            status_key=await asyncio.to_thread(services.keys.purpose_key, status_text.PURPOSE),
            consent_key=await asyncio.to_thread(services.keys.purpose_key, consent_receipt.PURPOSE),
            planning=planning,
            factors=services.factors,
            sign_in=SignIn(
                services.db,
                self.clock,
                services.factors,
                remember_ms=days(self.config.sessions.remember_device_days),
                failed=services.accounts.note_failure,
            ),
            live=live,
            oidc=self._oidc(services.db, services.accounts),
            sweeps=lambda: keeping.sweeper.status,
            films=self.films,
        )
        app = make_app(parts, read_client())
        self._run_beside(_look_after_attempts(app, services.accounts))
        await self._serve(app, listening, tls)
        self.first_admin_token = await services.accounts.links.for_first_admin()
        keeping.start(self._run_beside)

    def _oidc(self, db: Database, accounts: Accounts) -> Oidc | None:
        config = self.config.oidc
        if config.issuer is None:
            return None
        return Oidc(db, self.clock, accounts, config, site=self.url, failed=accounts.note_failure)

    async def _remove_from_meetings(self, person: DataSubject) -> None:
        await self.registry.remove_person(person.id, "Your data here is being erased.")
        await self.recordings.forget(person)  # waits until the files of theirs that were being written are closed

    async def _consent_withdrawn(self, person: DataSubject, recording_id: str) -> None:
        await self.recordings.person_withdrew(person, recording_id)

    def _leave_recording(self, person_id: str, recording_id: str) -> None:
        self.registry.withdraw_recording(person_id, recording_id)

    async def _withdraw_from_films(self, person_ids: Collection[str]) -> None:
        await self.films.withdraw(person_ids)

    async def _open_media(self) -> Sfu:
        media = self.config.media
        advertised, host = addresses.advertised_addresses(self.config), addresses.media_host(self.config)
        sfu = Sfu(Certificate.generate(), [(ip, media.port) for ip in advertised])
        try:
            if addresses.takes_tcp(self.config):
                udp, tcp = bind_both(host, media.port)
                self.media_port = MediaPort.on(sfu, udp)
                self.media_streams = await StreamPort.on(sfu, tcp)
                self._stack.push_async_callback(self.media_streams.close)
            else:
                self.media_port = await MediaPort.open(sfu, host, media.port)
        except OSError as error:
            raise _cannot_listen(error.filename or "UDP", media.port, "media.port", error) from None
        # it tells everybody good-bye, those who came by TCP as well: so it is closed before the connections are
        self._stack.push_async_callback(self.media_port.close)
        return sfu

    async def _serve(self, app: web.Application, listening: socket.socket, tls: SSLContext | None) -> None:
        runner = await start_runner(app)
        self._stack.push_async_callback(runner.cleanup)
        self._stack.push_async_callback(self.registry.close, "The server restarts.", RETRY_S)
        await web.SockSite(runner, listening, ssl_context=tls).start()

    def _run_beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs `work` until the server stops."""
        self._stack.push_async_callback(_end, asyncio.create_task(work))

    def _stats(self) -> Stats:
        media, meetings, streams = self.sfu.stats(), self.registry.counts(), self.media_streams
        return Stats(
            rooms=meetings["rooms"],
            participants=meetings["participants"],
            transports=media["transports"],
            connections_weak=self.registry.graded(Grade.WEAK),
            connections_poor=self.registry.graded(Grade.POOR),
            packets_in=media["datagrams_received"],
            packets_out=self.media_port.sent + (streams.sent if streams else 0),
            packets_dropped=media["datagrams_dropped"] + self.media_port.refused + (streams.dropped if streams else 0),
            bytes_out=self.media_port.sent_bytes + (streams.sent_bytes if streams else 0),
            nacks=media["repairs_asked"],
            retransmissions=media["repairs_sent"],
            plis=media["keyframes_asked"],
            busy=int(self.admission.is_shut),
            busy_percent=round(100 * self.lag.busy_share()),
            turned_away=self.admission.refused,
        )


class _Live:
    """What operations can learn from and do to the running server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def people(self, slug: str) -> int:
        return self._server.registry.people(slug)

    def status(self) -> dict[str, Any]:
        counts = self._server.registry.counts()
        sweeps = self._server.keeping.sweeper.status
        return {
            "meetings": counts["rooms"],
            "participants": counts["participants"],
            "last_sweep": None if sweeps.last_pass_ms is None else iso(sweeps.last_pass_ms),
            "next_daily_sweep": None if sweeps.next_daily_ms is None else iso(sweeps.next_daily_ms),
            "clock_doubted": ", ".join(sweeps.doubts) or None,
            "rows_waiting": sweeps.waiting,
        }

    async def room_changed(self, slug: str) -> None:
        await self._server.registry.refresh(slug)

    async def room_deleted(self, slug: str) -> None:
        await self._server.registry.end(slug, "The room was deleted.")

    async def user_disabled(self, user_id: str) -> None:
        await self._server.registry.remove_person(user_id, "Your account was disabled.")


def run(config: Config, *, make_room: str) -> int:
    """Serves until SIGTERM or SIGINT; the exit code for the shell. `make_room` is the command that makes a room."""
    configure_log(config.log)
    _allow_connections()
    share_closely()
    try:
        with asyncio.Runner(loop_factory=MeasuredLoop) as runner:
            runner.run(_run(config, make_room))
    except PymeetError as error:
        return _give_up(error.message)
    except SQLAlchemyError as error:
        # neither the statement nor its values are shown: they may be personal
        return _give_up(
            f"The database {config.database_path} cannot be used ({type(error).__name__}).\n"
            "Check that the disk has room and that this user may write there; put a backup back if it is damaged."
        )
    return 0


def _allow_connections() -> None:
    """Raises the soft limit of open files, 1,024 as a rule, to the hard one: each connection is a file."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # some systems say "unlimited" and refuse it
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _give_up(message: str) -> int:
    Console(stderr=True).print(Text(message, style="bold red"))
    return 1


async def _run(config: Config, make_room: str) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(on_loop_error)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await Server.start(config)
    # What is there now stays: the collector need not look at it again, which keeps its pauses short.
    gc.collect()
    gc.freeze()
    _greet(server, make_room)
    log.info("started", http_port=server.config.http.port, media_port=server.media_port.port)
    await stop.wait()
    log.info("stopping")
    await end_in_time(server.stop(), STOP_S)
    log.info("stopped")


async def end_in_time(stopping: Coroutine[Any, Any, None], within_s: float) -> None:
    """Lets the server stop. What takes longer is cancelled, and where even that hangs the process ends with 1: whoever waits
    for its end must not wait for ever, and the next start puts in order what was left."""
    task = asyncio.create_task(stopping)
    if not (await asyncio.wait({task}, timeout=within_s))[0]:
        log.warning("not everything could be closed in time")
        task.cancel()
        if not (await asyncio.wait({task}, timeout=CANCEL_S))[0]:
            log.error("stopping hangs, so the process is ended")
            sys.stdout.flush()
            os._exit(1)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _greet(server: Server, make_room: str) -> None:
    """Tells whoever started it how to go on."""
    console = Console()
    lines = Text.assemble("pymeet is running at ", (server.url, "bold cyan"), "\n")
    if server.first_admin_token:
        link = f"{server.url}/link#{server.first_admin_token}"
        lines.append_text(
            Text.assemble(
                "\nThere is no administrator yet. Open this link to become the first one; it works once:\n",
                (link, "bold green"),
                "\n",
            )
        )
    lines.append_text(Text.assemble("\nMake a room: ", (make_room, "bold")))
    if server.config.http.tls.mode == "self_signed":
        lines.append("\nThe certificate is self-signed, so browsers will ask whether to trust it.", style="dim")
    console.print(lines, soft_wrap=True)


def _listen(config: Config) -> socket.socket:
    """The TCP socket of the HTTP port, bound; ConfigError with the remedy when that fails."""
    host, port = config.http.host, config.http.port
    try:
        info = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listening = socket.create_server(info[4][:2], family=info[0], backlog=1024, dualstack_ipv6=host == "::")
    except OSError as error:
        raise _cannot_listen("TCP", port, "http.port", error) from None
    listening.setblocking(False)
    return listening


def _cannot_listen(protocol: str, port: int, key: str, error: OSError) -> ConfigError:
    if error.errno == errno.EADDRINUSE:
        return ConfigError(
            f"{protocol} port {port} is in use by another program.\nStop that program, or choose another {key}."
        )
    host = key.replace("port", "host") if key == "http.port" else "the address"
    return ConfigError(f"{protocol} port {port} cannot be opened: {error.strerror}.\nCheck {host} and {key}.")


async def _renew(tls: SSLContext, config: Config) -> None:
    """Takes up a renewed certificate without a restart; connections that are open keep the old one."""
    while True:
        await asyncio.sleep(RENEW_EVERY_S)
        try:
            await asyncio.to_thread(certificates.refresh, tls, config)
        except (PymeetError, OSError, ValueError):
            log.exception("the renewed certificate cannot be used; the old one stays")


async def _look_after_attempts(app: web.Application, accounts: Accounts) -> None:
    """Keeps the promise of the inventory: who failed to sign in is forgotten also when nobody else tries. How often it
    failed goes into the audit log, later than it happened, so that the answer's time tells nothing."""
    while True:
        await asyncio.sleep(FORGET_EVERY_S)
        forget_attempts(app)
        try:
            await accounts.record_failures()
        except SQLAlchemyError:
            log.exception("failed sign-ins could not be noted; they will be tried again")


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
