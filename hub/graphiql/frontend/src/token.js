// Whom a token names. The hub alone says whether it holds; the page only tells callers apart, and says who asked.

const nameOf = (claim) => (typeof claim === "string" ? claim : "");

/** The partner, officer and subject that a token names; of one that cannot be read, which the hub refuses, none. */
export function holderOf(token) {
  try {
    const payload = atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(payload, (byte) => byte.charCodeAt(0));
    const { partner, sub, subject } = JSON.parse(new TextDecoder().decode(bytes));
    return { partner: nameOf(partner), officer: nameOf(sub), subject: nameOf(subject) };
  } catch {
    return { partner: "", officer: "", subject: "" };
  }
}
