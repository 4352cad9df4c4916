"""A person at the GraphiQL page: chooses a caller, presses Run, reads the answer and the documentation."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from tests.chromium import Tab

_RUN = "button.graphiql-execute-button"
_ANSWER = "(document.querySelector('.result-window .CodeMirror')?.CodeMirror.getValue() ?? '')"
_QUERY = "document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror"
_FIELDS = "Number(document.querySelector('.hub-sight')?.dataset.fields ?? 0)"
_SPINNER = "document.querySelector('.graphiql-response .graphiql-spinner')"
_REFUSED = "Failed to load resource: the server responded with a status of 4"
_SEARCH = ".graphiql-doc-explorer-search input"


@dataclass
class Person:
    """Somebody who has a browser tab and knows the hub's address."""

    tab: Tab
    url: str  # of the hub, without a path

    async def open(self) -> None:
        """Open the page and wait for its bar."""
        await self.tab.open(f"{self.url}/graphiql")
        await self.tab.until("!!document.querySelector('.hub-bar')", "the page")

    async def become(self, partner: str, purpose: str | None = None) -> int:
        """In demo mode: choose a partner and, if named, a purpose. Gives the number of fields it sees."""
        await self.tab.choose('select[name="partner"]', partner)
        if purpose is not None:
            await self.tab.choose('select[name="purpose"]', purpose)
        return await self.sees()

    async def connect(self, token: str, purpose: str) -> None:
        """Outside demo mode: give a token and a purpose, and press Connect."""
        await self.tab.type('input[name="token"]', token)
        await self.tab.choose('select[name="purpose"]', purpose)
        await self.tab.click(".hub-form button")

    async def sees(self) -> int:
        """Wait for the schema; give the number of fields that the bar shows."""
        # The bar forgets the last caller's number in the same breath as it takes the new caller.
        await asyncio.sleep(0.1)
        fields = await self.tab.until(_FIELDS, "the schema")
        assert isinstance(fields, int)
        return fields

    async def ask(self, document: str) -> None:
        """Write a document in place of the one in the editor."""
        await self.tab.evaluate(f"{_QUERY}.setValue({json.dumps(document)})")

    async def asks_and_becomes(self, document: str, partner: str) -> None:
        """Write a document and choose another partner before the page has done anything in between."""
        chosen = json.dumps(partner)
        await self.tab.evaluate(
            f"""(() => {{ const e = document.querySelector('select[name="partner"]');
            {_QUERY}.setValue({json.dumps(document)});
            Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, 'value').set.call(e, {chosen});
            e.dispatchEvent(new Event('change', {{bubbles: true}})); }})()"""
        )
        await self.sees()

    async def switch_to(self, title: str) -> None:
        """Press the tab of an operation, and wait until it is the one at the front."""
        await self.tab.click(f'.graphiql-tab-button[title="{title}"]')
        await self.tab.until(
            f"""!!document.querySelector('.graphiql-tab-active [title="{title}"]')""", f"the tab {title}"
        )

    async def press_run(self) -> None:
        """Press Run without waiting for the answer."""
        await self.tab.click(_RUN)

    async def run(self) -> dict[str, Any]:
        """Press Run and give the answer."""
        await self.press_run()
        answer = await self.tab.until(f"!{_SPINNER} && {_ANSWER}", "an answer")
        decoded = json.loads(answer)
        assert isinstance(decoded, dict)
        return decoded

    async def waits(self) -> bool:
        """Whether an answer is under way."""
        return bool(await self.tab.evaluate(f"!!{_SPINNER}"))

    async def reads(self) -> str:
        """What the answer pane shows now."""
        return str(await self.tab.evaluate(_ANSWER))

    async def reads_at_last(self) -> str:
        """What the answer pane shows once it shows something."""
        return str(await self.tab.until(_ANSWER, "an answer"))

    async def typed(self) -> str:
        """The text of every editor, the answer too."""
        each = "[...document.querySelectorAll('.CodeMirror')].map(e => e.CodeMirror.getValue()).join('\\n')"
        return str(await self.tab.evaluate(each))

    async def looks_up(self, word: str) -> list[str]:
        """Search the documentation pane for `word` and give the names that it offers, or none."""
        await self.tab.until(f"!!document.querySelector('{_SEARCH}')", "the search field")
        for typed in ("noSuchName", word):  # so that what is offered then belongs to `word`
            await self.tab.type(_SEARCH, typed)
            await asyncio.sleep(0.4)  # the pane waits 0.2 s after the last key before it searches
        offered = "document.querySelectorAll('[role=option], .graphiql-doc-explorer-search-empty').length"
        await self.tab.until(offered, f"results of a search for {word}")
        names = await self.tab.evaluate(
            "[...document.querySelectorAll('[role=option]')].map(e => e.innerText)"
        )
        await self.tab.press("Escape")  # an open list of results takes the next click for itself
        assert isinstance(names, list)
        return names

    async def leaves_no_trace(self, refused: int = 0) -> None:
        """No violation, exception or warning; nothing asked of another origin; nothing kept.

        `refused`: how many questions the hub answered with HTTP 4xx, each of which the browser logs.
        """
        assert not self.tab.violations
        assert not self.tab.exceptions
        logged = [said for said in self.tab.console if not said.startswith(_REFUSED)]
        assert logged == []
        assert len(self.tab.console) == refused
        own = (f"{self.url}/", "data:")
        assert not [asked["url"] for asked in self.tab.requests if not asked["url"].startswith(own)]
        kept = await self.tab.evaluate(
            "(async () => [localStorage.length, sessionStorage.length, document.cookie.length,"
            " (await indexedDB.databases()).length])()"
        )
        assert kept == [0, 0, 0, 0]
