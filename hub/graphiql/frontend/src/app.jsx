// Starts the page: settings of this hub, then GraphiQL under a bar that says who is asking and what for.
import { setNonce } from "get-nonce";
import { createRoot } from "react-dom/client";

import "graphiql/style.css";
import "./style.css";

import { fetchJSON } from "./endpoint.js";
import { Page } from "./page.jsx";

const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";

// Dialogs add one <style> element; it carries the nonce of this response, so that no other inline style may run.
setNonce(meta("hub-style-nonce"));

const root = createRoot(document.getElementById("page"));
try {
  const settings = await fetchJSON(meta("hub-settings"));
  const partners = settings.partnersPath ? await fetchJSON(settings.partnersPath) : null;
  root.render(<Page settings={settings} partners={partners} />);
} catch (error) {
  root.render(<p className="hub-failure">页面无法启动 The page cannot start: {String(error.message ?? error)}</p>);
}
