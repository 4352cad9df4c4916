// The Idempotency-Keys of commands of which nobody knows yet whether they were done. They outlive a change of caller:
// whoever comes back and presses Run again must get the answer of what was done, not do it twice.

/** A new Idempotency-Key. randomUUID exists on pages served by TLS or from this machine only. */
function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What the hub takes for one request under a key: the body, and who asks for what matter and case. */
function requestOf(body, { partner, officer, subject, purpose, matter, caseNumber }) {
  return JSON.stringify([partner, officer, subject, purpose, matter, caseNumber, body]);
}

/** In this page's memory, like everything else that holds what was typed. */
export function keyring() {
  const kept = new Map();
  return {
    /** The key of this command, the same one until it is known what became of it; and since when, if it was sent before. */
    take(body, caller) {
      const request = requestOf(body, caller);
      const known = kept.get(request);
      if (known) return { key: known.key, since: known.at };
      const made = { key: newKey(), at: new Date() };
      kept.set(request, made);
      return { key: made.key, since: null };
    },
    forget: (body, caller) => void kept.delete(requestOf(body, caller)),
  };
}

/**
 * Whether an answer tells what became of a command. A refusal does not: it may stand before the key was looked up
 * (401, 429), or in place of an answer to what was done (503, `committed`), and asking again under the key costs nothing.
 */
export function settles({ errors }) {
  return !errors?.length || errors.some(({ extensions }) => extensions?.code === "IDEMPOTENCY_CONFLICT");
}
