"""A real headless Chromium, driven over the DevTools protocol on two pipes: no driver program, no port."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-extensions", "--disable-default-apps", "--no-default-browser-check",
    "--metrics-recording-only", "--lang=zh-CN", "--window-size=1440,900", "--hide-scrollbars",
    "--remote-debugging-pipe",
)  # fmt: skip
PATIENCE = 15.0  # seconds that a person would wait for anything on this page, on a slow machine
_CHUNK = 1 << 20
_KEY_CODES = {"Tab": 9, "Escape": 27}


def find_chromium() -> str:
    """Give the path of an installed Chromium, or of the one that CHROMIUM names."""
    named = os.environ.get("CHROMIUM")
    for name in (named,) if named else NAMES:
        found = shutil.which(name)
        if found:
            return found
    raise FileNotFoundError(
        f"none of {', '.join(NAMES)} is installed; install one, set CHROMIUM,"
        " or leave these tests out with -m 'not browser'"
    )


@dataclass
class Tab:
    """One page, and everything it asked for, logged or violated since it was opened."""

    _send: Callable[..., Any]
    requests: list[dict[str, Any]] = field(default_factory=list)  # {url, method, headers} of every request
    console: list[str] = field(default_factory=list)  # console messages of level warning and error
    exceptions: list[str] = field(default_factory=list)  # uncaught exceptions
    violations: list[str] = field(default_factory=list)  # of the Content-Security-Policy

    async def open(self, url: str) -> None:
        """Go to `url`; the page may still be loading when this returns."""
        await self._send("Page.navigate", url=url)

    async def evaluate(self, expression: str, *, eval_as_page: bool = False) -> Any:
        """Give the value of a JavaScript expression, awaited when it is a promise.

        `eval_as_page` keeps the page's policy on eval in force for the expression too.
        """
        answer = await self._send(
            "Runtime.evaluate",
            expression=expression,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
            allowUnsafeEvalBlockedByCSP=not eval_as_page,
        )
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"].get("exception", {}).get("description", answer))
        return answer["result"].get("value")

    async def until(self, expression: str, what: str = "") -> Any:
        """Wait until `expression` is truthy and give its value; fails after PATIENCE with what is shown."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            value = await self.evaluate(expression)
            if value:
                return value
            await asyncio.sleep(0.05)
        shown = await self.evaluate("document.body ? document.body.innerText.slice(0, 3000) : ''")
        raise AssertionError(
            f"never came: {what or expression}\nconsole: {self.console}\nthe page shows:\n{shown}"
        )

    async def click(self, selector: str) -> None:
        """Press the middle of the first element that `selector` finds, with the mouse, as a person does."""
        place = await self.until(
            f"""(() => {{ const e = document.querySelector({json.dumps(selector)}); if (!e) return null;
            e.scrollIntoView({{block: 'nearest', inline: 'nearest'}}); const r = e.getBoundingClientRect();
            return r.width && r.height ? [r.x + r.width / 2, r.y + r.height / 2] : null; }})()""",
            f"something to press at {selector}",
        )
        for kind in ("mousePressed", "mouseReleased"):
            await self._send(
                "Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1
            )

    async def type(self, selector: str, text: str) -> None:
        """Click into a field and type `text` in place of what it holds."""
        await self.click(selector)
        await self.evaluate(f"document.querySelector({json.dumps(selector)}).select()")
        await self._send("Input.insertText", text=text)

    async def press(self, key: str) -> None:
        """Press and release a key by its name, such as Escape."""
        for kind in ("rawKeyDown", "keyUp"):
            await self._send(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=_KEY_CODES[key]
            )

    async def choose(self, selector: str, value: str) -> None:
        """Choose the option `value` of a select, with the events that a person's choice fires."""
        option = f'{selector} option[value="{value}"]'
        await self.until(f"!!document.querySelector({json.dumps(option)})")
        await self.evaluate(
            f"""(() => {{ const e = document.querySelector({json.dumps(selector)});
            const value = Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, 'value');
            value.set.call(e, {json.dumps(value)});
            e.dispatchEvent(new Event('change', {{bubbles: true}})); }})()"""
        )

    async def screenshot(self, path: Path) -> None:
        """Write what is visible as PNG."""
        answer = await self._send("Page.captureScreenshot", format="png")
        await asyncio.to_thread(path.write_bytes, base64.b64decode(answer["data"]))

    async def resize(self, width: int, height: int) -> None:
        """Make the window so many CSS pixels large: half of the screen's when a person enlarges the page twice."""
        await self._send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    async def on_paper(self) -> str:
        """The text that would be printed."""
        await self._send("Emulation.setEmulatedMedia", media="print")
        try:
            return str(await self.evaluate("document.body.innerText"))
        finally:
            await self._send("Emulation.setEmulatedMedia", media="")

    def take(self, method: str, event: dict[str, Any]) -> None:
        """Note an event of this page."""
        if method == "Network.requestWillBeSent":
            request = event["request"]
            self.requests.append({name: request.get(name) for name in ("url", "method", "headers")})
        elif method == "Runtime.exceptionThrown":
            details = event["exceptionDetails"]
            self.exceptions.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and event["type"] in ("warning", "error", "assert"):
            self.console.append(" ".join(str(item.get("value", item)) for item in event["args"]))
        elif method == "Log.entryAdded" and event["entry"]["level"] in ("warning", "error"):
            self.console.append(event["entry"]["text"])
        elif method == "Audits.issueAdded" and event["issue"]["code"] == "ContentSecurityPolicyIssue":
            self.violations.append(json.dumps(event["issue"]["details"]))


class Pipe:
    """The protocol's two pipes: requests out, answers and events in, each ended by a zero byte."""

    def __init__(self, reader: asyncio.StreamReader, write: int) -> None:
        """Take the stream that Chromium answers on and the descriptor that it reads."""
        self._reader, self._write = reader, write
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._number = 0
        self.tabs: dict[str, Tab] = {}

    async def send(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Ask, and give the answer's result."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        answer = self._answers[self._number] = asyncio.get_running_loop().create_future()
        os.write(self._write, json.dumps(message).encode() + b"\0")
        return await asyncio.wait_for(answer, PATIENCE)

    async def listen(self) -> None:
        """Hand on what arrives until Chromium ends."""
        rest = b""
        while chunk := await self._reader.read(_CHUNK):
            *messages, rest = (rest + chunk).split(b"\0")
            for text in messages:
                message = json.loads(text)
                if "id" in message:
                    answer = self._answers.pop(message["id"])
                    if answer.done():
                        continue
                    if "error" in message:
                        answer.set_exception(RuntimeError(str(message["error"])))
                    else:
                        answer.set_result(message["result"])
                elif tab := self.tabs.get(message.get("sessionId", "")):
                    tab.take(message["method"], message["params"])

    async def tab(self) -> Tab:
        """Open an empty page in a profile of its own that is being watched."""
        context = (await self.send("Target.createBrowserContext"))["browserContextId"]
        target = await self.send("Target.createTarget", url="about:blank", browserContextId=context)
        attached = await self.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        session = attached["sessionId"]

        async def send(method: str, **parameters: Any) -> dict[str, Any]:
            return await self.send(method, session, **parameters)

        tab = self.tabs[session] = Tab(send)
        for domain in ("Page", "Runtime", "Network", "Log", "Audits"):
            await send(f"{domain}.enable")
        return tab


@asynccontextmanager
async def chromium(profile: Path) -> AsyncIterator[Pipe]:
    """Run Chromium with a new profile in `profile`; it is ended, and waited for, at the end."""
    there_read, here_write = os.pipe()
    here_read, there_write = os.pipe()
    # The protocol wants descriptors 3 and 4; a small program puts the two pipes there and becomes Chromium.
    copied = f"r, w = [fcntl.fcntl(d, fcntl.F_DUPFD, 10) for d in ({there_read}, {there_write})]"
    put = f"import fcntl, os, sys; {copied}; os.dup2(r, 3); os.dup2(w, 4); os.closerange(5, 256)"
    become = f"{put}; os.execv(sys.argv[1], sys.argv[1:])"
    process = await asyncio.to_thread(
        subprocess.Popen,
        [sys.executable, "-c", become, find_chromium(), *FLAGS, f"--user-data-dir={profile}", "about:blank"],
        pass_fds=(there_read, there_write),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(there_read)
    os.close(there_write)
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(here_read, "rb", 0)
    )
    pipe = Pipe(reader, here_write)
    listening = asyncio.create_task(pipe.listen())
    try:
        yield pipe
    finally:
        with suppress(Exception):
            await asyncio.wait_for(pipe.send("Browser.close"), 5)
        try:
            await asyncio.to_thread(process.wait, 10)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        transport.close()
        os.close(here_write)
