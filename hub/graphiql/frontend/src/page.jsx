// The page: one caller at a time. Changing the caller ends what is under way, forgets earlier answers and reads
// the schema again, because the documentation must show what this caller may see and nothing of the last one.
// Another officer of the same partner sees the same: what the first one was answered stays, to be gone on with.
import { DOC_EXPLORER_PLUGIN, DocExplorerContextProvider } from "@graphiql/plugin-doc-explorer";
import { GraphiQLProvider, usePluginStore } from "@graphiql/react";
import { GraphiQL, GraphiQLInterface } from "graphiql";
import { useEffect, useMemo, useRef, useState } from "react";

import { Asked, askedRequests, Printed } from "./asked.jsx";
import { DemoBar, TokenBar } from "./bar.jsx";
import { Editors } from "./editors.jsx";
import { fetchJSON, fetcherFor } from "./endpoint.js";
import { keyring } from "./keys.js";
import { memoryStorage } from "./memory.js";

const NOBODY = { partner: "", officer: "", token: "", purpose: "", matter: "", caseNumber: "" };
const DOCUMENTATION = [DOC_EXPLORER_PLUGIN];

const officerOf = (partner, name) => partner.officers.find((officer) => officer.name === name) ?? partner.officers[0];

function callerOf(partner, purposeCode) {
  const purpose = partner.purposes.find(({ code }) => code === purposeCode) ?? partner.purposes[0];
  const officer = officerOf(partner);
  return {
    partner: partner.id,
    officer: officer.name,
    token: officer.token,
    purpose: purpose?.code ?? "",
    matter: purpose?.matter ?? "",
    caseNumber: purpose?.case ?? "",
  };
}

export function Page({ settings, partners: given }) {
  const [partners, setPartners] = useState(given);
  const [caller, setCaller] = useState(() => (given?.length ? callerOf(given[0]) : NOBODY));
  const current = useRef(caller);
  current.current = caller;

  // The view depends on who asks and what for. Matter and case ride along without changing it.
  const known = Boolean(caller.token && caller.purpose);
  const asking = useMemo(() => new AbortController(), [caller.partner, caller.token, caller.purpose]);
  useEffect(() => () => asking.abort(), [asking]);

  const keys = useMemo(keyring, []);
  const requests = useMemo(askedRequests, []);
  const fetcher = useMemo(() => {
    const renew = async () => {
      if (!settings.partnersPath) return false;
      const fresh = await fetchJSON(settings.partnersPath);
      const partner = fresh.find(({ id }) => id === current.current.partner);
      if (!partner) return false;
      current.current = { ...current.current, token: officerOf(partner, current.current.officer).token };
      setPartners(fresh);
      return true;
    };
    return fetcherFor({
      endpoint: settings.endpoint,
      read: () => current.current,
      renew,
      signal: asking.signal,
      keys,
      noted: requests.note,
    });
  }, [asking, keys, requests, settings]);

  const storage = useMemo(memoryStorage, []);
  const tabs = useMemo(
    () => settings.examples.map(({ query, variables }) => ({ query, variables, headers: null })),
    [settings],
  );

  return (
    <GraphiQLProvider
      fetcher={fetcher}
      schema={known ? undefined : null}
      storage={storage}
      shouldPersistHeaders={false}
      defaultTabs={tabs}
      variables={tabs[0]?.variables} // GraphiQL opens the first tab with its query but not with its variables
      plugins={DOCUMENTATION}
      referencePlugin={DOC_EXPLORER_PLUGIN}
      visiblePlugin={DOC_EXPLORER_PLUGIN}
    >
      <DocExplorerContextProvider>
        {partners ? (
          <DemoBar
            partners={partners}
            caller={caller}
            choose={(id, purpose) => setCaller(callerOf(partners.find((partner) => partner.id === id), purpose))}
            act={(partner, name) => setCaller({ ...caller, officer: name, token: officerOf(partner, name).token })}
            amend={(part) => setCaller({ ...caller, ...part })}
          />
        ) : (
          <TokenBar
            purposes={settings.purposes}
            connect={setCaller}
            disconnect={() => setCaller(NOBODY)}
            amend={(part) => setCaller({ ...caller, ...part })}
          />
        )}
        <Workbench requests={requests} />
        <Editors />
        <Printed requests={requests} />
      </DocExplorerContextProvider>
    </GraphiQLProvider>
  );
}

/** GraphiQL itself, with the documentation open: it decides that at its first rendering, so it waits for the plugin. */
function Workbench({ requests }) {
  const { visiblePlugin } = usePluginStore();
  const opened = useRef(false);
  opened.current ||= Boolean(visiblePlugin);
  return (
    opened.current && (
      <GraphiQLInterface
        isHeadersEditorEnabled={false}
        showPersistHeadersSettings={false}
        defaultEditorToolsVisibility="variables"
      >
        <GraphiQL.Footer>
          <Asked requests={requests} />
        </GraphiQL.Footer>
      </GraphiQLInterface>
    )
  );
}
