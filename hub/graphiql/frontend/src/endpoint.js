// Talks to the hub on behalf of one caller: token, purpose, matter and case go into headers, nowhere else.
import { getIntrospectionQuery, Kind, parse } from "graphql";

import { settles } from "./keys.js";

// GraphiQL asks for nine levels of wrapping types, which is deeper than the hub lets any document be.
// Three wrap everything this schema has ([T!]!); one more is spare.
const INTROSPECTION = getIntrospectionQuery({ inputValueDeprecation: true, schemaDescription: true }).replace(
  /fragment TypeRef on __Type[\s\S]*$/,
  "fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }",
);

const NOBODY = "请先填写令牌和使用目的，再连接 Enter a token and a purpose, then connect";
const NO_TOKEN = "令牌只含英文字母、数字和符号，请重新复制 A token has ASCII letters, digits and signs only: copy it again";
// What is said where no answer came, and what a person can do then; of a command nobody knows whether it was done.
const ENDS = {
  lost: ["没有收到枢纽的答复", "No answer came from the hub"],
  left: ["没有等到答复就离开了", "The answer was not waited for"],
  changed: ["调用方已更换，不再等待答复", "The caller changed, so the answer was not waited for"],
};
const AGAIN = ["请稍候再运行", "run it again in a while"];
const COMMAND_AGAIN = [
  "命令可能已经执行。以同一单位、目的、事项和办件再运行一次即得结果，不会重复执行",
  "the command may have been done. Run it again as the same caller, for the same matter and case: that gives its answer and does nothing twice",
];

/** A header value is bytes, one to a character: matter and case numbers, such as 青商许〔2026〕1号, go as UTF-8. */
export function headerValue(text) {
  return String.fromCharCode(...new TextEncoder().encode(text.trim()));
}

function headersOf({ token, purpose, matter, caseNumber }, repetition) {
  const headers = {
    "Content-Type": "application/json",
    Accept: "application/graphql-response+json, application/json;q=0.9",
    Authorization: `Bearer ${token}`,
  };
  if (purpose) headers["Hub-Purpose"] = headerValue(purpose);
  if (matter) headers["Hub-Matter"] = headerValue(matter);
  if (caseNumber) headers["Hub-Case"] = headerValue(caseNumber);
  if (repetition) headers["Idempotency-Key"] = repetition;
  return headers;
}

const failure = (message) => ({ errors: [{ message }] });

function unanswered(end, commands, detail) {
  const [zh, en] = ENDS[end];
  const [thenZh, thenEn] = commands ? COMMAND_AGAIN : AGAIN;
  return failure(`${zh}：${thenZh}。${en}: ${thenEn}.${detail ? ` (${detail})` : ""}`);
}

/** Give a GET of the page's own JSON, never from a cache. */
export async function fetchJSON(path) {
  const response = await fetch(path, { credentials: "omit", cache: "no-store", redirect: "error" });
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
  return response.json();
}

/** GraphiQL names the operation some moments after it shows another document: trust the name only where it matters. */
function nameToSend(query, operationName) {
  try {
    const operations = parse(query).definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
    return operations.length > 1 ? operationName : undefined;
  } catch {
    return operationName; // the hub says what is wrong with the document
  }
}

function mutates(query) {
  try {
    return parse(query).definitions.some(({ operation }) => operation === "mutation");
  } catch {
    return false;
  }
}

/** Give the answer's JSON, or null where something in front of the hub answered in its place. */
async function answerOf(response) {
  const text = await response.text();
  try {
    const answer = JSON.parse(text);
    return typeof answer === "object" ? answer : null;
  } catch {
    return null;
  }
}

/**
 * An answer for as long as somebody waits for it. GraphiQL writes whatever comes into the tab at the front, and it stops
 * waiting when another tab is opened or Stop is pressed: an answer that comes later would stand under another question.
 */
function whileWaitedFor(ask, commands) {
  return {
    subscribe(observer) {
      const waiting = new AbortController();
      let waits = true;
      ask(waiting).then((answer) => {
        if (!waits) return;
        waits = false;
        observer.next(answer);
        observer.complete();
      });
      return {
        unsubscribe() {
          if (!waits) return;
          waits = false;
          observer.next(unanswered("left", commands)); // into the tab that is being left
          waiting.abort();
        },
      };
    },
  };
}

/**
 * A GraphiQL fetcher for one caller. `read` gives the caller's headers as they are at the moment of asking,
 * `renew` tries to get a fresh token after a 401 and says whether it did, `signal` ends what is under way, `keys` holds
 * the Idempotency-Keys, `noted` is told the id of each answered request with who asked it, what and when, and of a command
 * that was sent before, since when.
 */
export function fetcherFor({ endpoint, read, renew, signal, keys, noted }) {
  const send = (body, key, waiting) =>
    fetch(endpoint, {
      method: "POST",
      body,
      headers: headersOf(read(), key),
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      signal: waiting.signal,
    });
  return ({ query, variables, operationName }) => {
    const introspects = operationName === "IntrospectionQuery";
    const document = introspects ? INTROSPECTION : query;
    const commands = !introspects && mutates(query);

    const ask = async (waiting) => {
      const caller = read();
      if (!caller.token) return failure(NOBODY);
      if (!/^[\x21-\x7e]+$/.test(caller.token)) return failure(NO_TOKEN);
      const body = JSON.stringify({ query: document, variables, operationName: nameToSend(document, operationName) });
      const { key, since } = commands ? keys.take(body, caller) : { key: null, since: null };
      const end = () => waiting.abort();
      signal.addEventListener("abort", end);
      try {
        let response = await send(body, key, waiting);
        if (response.status === 401 && (await renew())) response = await send(body, key, waiting);
        const answer = await answerOf(response);
        if (!answer) return unanswered("lost", commands, `HTTP ${response.status}`);
        if (waiting.signal.aborted) throw waiting.signal.reason;
        if (commands && settles(answer)) keys.forget(body, caller);
        noted(answer.extensions?.requestId, { ...caller, token: null, query, variables, since, at: new Date() });
        return answer;
      } catch (error) {
        // GraphiQL drops an outdated schema when asking for it fails, but shows an outdated answer that says so.
        if (introspects && signal.aborted) throw error;
        return signal.aborted ? unanswered("changed", commands) : unanswered("lost", commands, String(error));
      } finally {
        signal.removeEventListener("abort", end);
      }
    };
    return introspects ? ask(new AbortController()) : whileWaitedFor(ask, commands);
  };
}
