// Under an answer, and on paper: who asked for it, what for and when. The bar above may say something else by then.
import { useEditorContext } from "@graphiql/react";
import { useCallback, useMemo, useSyncExternalStore } from "react";

/** Who asked what, by the id of the request; its answer names it. */
export function askedRequests() {
  const asked = new Map();
  return {
    note(id, request) {
      if (id) asked.set(id, request);
    },
    of(response) {
      try {
        const id = JSON.parse(response).extensions.requestId;
        return asked.has(id) ? { id, ...asked.get(id) } : null;
      } catch {
        return null; // nothing was answered yet, or it did not come from the hub
      }
    },
  };
}

const moment = (at) => `${at.toLocaleString("sv-SE", { timeZone: "Asia/Shanghai" })} 北京时间`;

/** What the answer pane shows: a tab does not keep it all, such as why the schema could not be read. */
function useAnswer(requests) {
  const { responseEditor } = useEditorContext({ nonNull: true });
  const listen = useCallback(
    (told) => {
      responseEditor?.on("change", told);
      return () => responseEditor?.off("change", told);
    },
    [responseEditor],
  );
  const response = useSyncExternalStore(listen, () => responseEditor?.getValue() ?? "");
  const request = useMemo(() => requests.of(response), [requests, response]);
  return { response, request };
}

function Line({ request: { partner, officer, subject, purpose, matter, caseNumber, at, since, id } }) {
  const who = [partner, officer, subject].filter(Boolean).join(" ");
  return (
    <>
      {who && `单位 partner ${who} · `}目的 purpose {purpose} · {matter && `事项 matter ${matter} · `}
      {caseNumber && `办件 case ${caseNumber} · `}
      {moment(at)} · 请求 request {id}
      {since && (
        <strong>
          {` · 与 ${moment(since)}提交的为同一操作，只办理一次；确需再办一次的，请再次运行 `}
          the same command as sent then, done once; to do it once more, run it again
        </strong>
      )}
    </>
  );
}

export function Asked({ requests }) {
  const { request } = useAnswer(requests);
  return (
    request && (
      <p className="hub-asked">
        <Line request={request} />
      </p>
    )
  );
}

/** The whole answer on paper, with the question; the editors draw only what fits the window, and would be cut off there. */
export function Printed({ requests }) {
  const { response, request } = useAnswer(requests);
  return (
    <section className="hub-printed">
      <h1>信用信息共享枢纽 Credit sharing hub</h1>
      {request && (
        <>
          <p>
            <Line request={request} />
          </p>
          <h2>查询 Question</h2>
          <pre>{request.query}</pre>
          {request.variables && <pre>{JSON.stringify(request.variables, null, 2)}</pre>}
        </>
      )}
      <h2>答复 Answer</h2>
      <pre>{response || "（无 none）"}</pre>
    </section>
  );
}
