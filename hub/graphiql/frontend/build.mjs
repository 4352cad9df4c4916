// Bundles the page into one script and one style sheet; the only argument is the directory to write to.
import { copyFile } from "node:fs/promises";
import { join } from "node:path";

import { build } from "esbuild";

const [outdir] = process.argv.slice(2);
if (!outdir) throw new Error("usage: node build.mjs DIRECTORY");

await build({
  entryPoints: { app: "src/app.jsx" },
  outdir,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  jsx: "automatic",
  define: { "process.env.NODE_ENV": '"production"' },
  legalComments: "external", // the licences of what is bundled go to app.js.LEGAL.txt
  logLevel: "warning",
});
await copyFile("src/favicon.svg", join(outdir, "favicon.svg"));
