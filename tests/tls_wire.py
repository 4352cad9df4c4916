"""A wire with TLS before a server of a test, whose certificate and manners the test chooses."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from hub.sandbox.server import LOOPBACK

_CUT_AFTER = 40


class Manner(StrEnum):
    """What the server does, or which certificate it shows."""

    GOOD = "GOOD"
    EXPIRED = "EXPIRED"
    EARLY = "EARLY"
    OTHER_HOST = "OTHER_HOST"
    # No greeting, one that breaks off, no TLS at all, an answer that breaks off or is garbled.
    SILENT = "SILENT"
    CLOSES = "CLOSES"
    PLAIN = "PLAIN"
    CUTS = "CUTS"
    GARBLES = "GARBLES"


class TlsWire:
    """TLS as a server of an authority of its own speaks it. Set `manner` at any time, for connections to come."""

    def __init__(self, directory: Path, port: int) -> None:
        """Forward to `port` of loopback; `authority` is the file of what vouches for the certificates."""
        self.manner = Manner.GOOD
        self.authority = directory / "authority.pem"
        self._port = port
        self._key, self._named = ec.generate_private_key(ec.SECP256R1()), _name("an authority")
        own = self._signed(self._key, self._named, [], -1, 1, authority=True)
        self.authority.write_bytes(own.public_bytes(Encoding.PEM))
        here = [x509.IPAddress(ip_address(LOOPBACK))]
        self._shown = {
            Manner.GOOD: self._context(directory / "good.pem", here, -1, 1),
            Manner.EXPIRED: self._context(directory / "expired.pem", here, -2, -1),
            Manner.EARLY: self._context(directory / "early.pem", here, 1, 2),
            Manner.OTHER_HOST: self._context(directory / "other.pem", [x509.DNSName("other.example")], -1, 1),
        }

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """Forward for the duration of the block; gives the host and the port, with a colon between."""
        tasks: set[asyncio.Task[None]] = set()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            with suppress(OSError, asyncio.CancelledError):
                await self._serve(reader, writer)
            writer.transport.abort()
            tasks.discard(task)

        server = await asyncio.start_server(accept, LOOPBACK, 0)
        try:
            yield f"{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            for task in tuple(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.manner in (Manner.SILENT, Manner.CLOSES, Manner.PLAIN):
            await reader.read(1024)
            if self.manner is Manner.PLAIN:
                writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
                await writer.drain()
            elif self.manner is Manner.SILENT:
                await asyncio.sleep(60)
            return
        if self.manner is Manner.GARBLES:
            raw = writer.get_extra_info("socket").fileno()
            await writer.start_tls(self._shown[Manner.GOOD])
            await reader.read(1)
            # A record that no key opens.
            os.write(raw, b"\x17\x03\x03\x00\x20" + bytes(32))
            await asyncio.sleep(60)
        await writer.start_tls(self._shown.get(self.manner, self._shown[Manner.GOOD]))
        there, upstream = await asyncio.open_connection(LOOPBACK, self._port)
        asking = asyncio.create_task(_pump(reader, upstream, None))
        try:
            await _pump(there, writer, _CUT_AFTER if self.manner is Manner.CUTS else None)
        finally:
            asking.cancel()
            upstream.close()

    def _context(self, file: Path, names: list[x509.GeneralName], since: int, until: int) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        shown = self._signed(key, _name("a server"), names, since, until)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(shown.public_bytes(Encoding.PEM) + private)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _signed(
        self,
        key: ec.EllipticCurvePrivateKey,
        subject: x509.Name,
        names: list[x509.GeneralName],
        since: int,
        until: int,
        *,
        authority: bool = False,
    ) -> x509.Certificate:
        """A certificate that holds from `since` to `until`, in days from now."""
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._named)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=since))
            .not_valid_after(now + timedelta(days=until))
            .add_extension(x509.BasicConstraints(authority, None), critical=True)
        )
        if names:
            made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return made.sign(self._key, hashes.SHA256())


def _name(called: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, called)])


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: int | None) -> None:
    while chunk := await reader.read(65536):
        writer.write(chunk[:most])
        await writer.drain()
        if most is not None:
            return
