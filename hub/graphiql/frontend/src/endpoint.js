// Talks to the hub on behalf of one caller: token, purpose, matter and case go into headers, nowhere else.
import { getIntrospectionQuery, Kind, parse } from "graphql";

// GraphiQL asks for nine levels of wrapping types, which is deeper than the hub lets any document be.
// Three wrap everything this schema has ([T!]!); one more is spare.
const INTROSPECTION = getIntrospectionQuery({ inputValueDeprecation: true, schemaDescription: true }).replace(
  /fragment TypeRef on __Type[\s\S]*$/,
  "fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }",
);

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

/** A new Idempotency-Key. randomUUID exists on pages served by TLS or from this machine only. */
function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * A GraphiQL fetcher for one caller. `read` gives the caller's headers as they are at the moment of asking,
 * `renew` tries to get a fresh token after a 401 and says whether it did, `signal` ends what is under way.
 */
export function fetcherFor({ endpoint, read, renew, signal }) {
  // The command that was sent last and had no answer: pressing Run again must not do it twice.
  let unanswered = { body: null, key: null };
  const send = (body) =>
    fetch(endpoint, {
      method: "POST",
      body,
      headers: headersOf(read(), unanswered.body === body ? unanswered.key : null),
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      signal,
    });
  return async ({ query, variables, operationName }) => {
    if (!read().token) return failure("请先填写令牌和使用目的，再连接 Enter a token and a purpose, then connect");
    const introspects = operationName === "IntrospectionQuery";
    const document = introspects ? INTROSPECTION : query;
    const body = JSON.stringify({ query: document, variables, operationName: nameToSend(document, operationName) });
    if (!introspects && mutates(query) && unanswered.body !== body) unanswered = { body, key: newKey() };
    let response, text;
    try {
      response = await send(body);
      if (response.status === 401 && (await renew())) response = await send(body);
      text = await response.text();
      // 503: it may have been done, and is asked for again under the same key.
      if (response.status !== 503 && unanswered.body === body) unanswered = { body: null, key: null };
    } catch (error) {
      // GraphiQL drops an outdated schema when asking for it fails, but shows an outdated answer that says so.
      if (introspects && signal.aborted) throw error;
      return failure(signal.aborted ? "调用方已更换，查询取消 The caller changed, so this query was cancelled" : String(error));
    }
    try {
      return JSON.parse(text);
    } catch {
      return failure(`HTTP ${response.status}: ${text.slice(0, 200)}`);
    }
  };
}
