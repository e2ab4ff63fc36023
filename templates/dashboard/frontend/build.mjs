// Bundles the page's script and its parts into ../static/front; run by `make frontend`, which installs the libraries into
// a folder of its own. What is built is kept in the repository: nobody needs npm to install, publish or serve.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const installed = resolve(process.argv[2]);
const { build } = createRequire(join(installed, "package.json"))("esbuild");
const common = { bundle: true, minify: true, nodePaths: [join(installed, "node_modules")], outdir: "../static/front" };

rmSync("../static/front", { recursive: true, force: true });
await build({
  ...common,
  entryPoints: { page: "src/page.js" },
  splitting: true, // the Output widget brings a renderer of everything: loaded only where one stands
  format: "esm",
  target: "es2022",
  legalComments: "eof",
  loader: { ".svg": "dataurl", ".css": "empty", ".ttf": "empty", ".woff": "empty", ".woff2": "empty", ".eot": "empty" },
});
await build({ ...common, entryPoints: { widgets: "src/widgets.css" }, loader: { ".svg": "dataurl" } });

// A test compares this with the sources: what is served was built from what is read.
const hash = createHash("sha256");
for (const name of ["package.json", "build.mjs", ...readdirSync("src").sort().map((file) => `src/${file}`)]) hash.update(readFileSync(name));
writeFileSync("../static/front/built-from.txt", `${hash.digest("hex")}\n`);
