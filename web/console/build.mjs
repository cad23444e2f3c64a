// Builds dist/ from src/: one script, one style sheet, the page, the licences of what is in them.
// The same sources give the same bytes on every machine: scripts/console --check compares.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const out = process.argv[2] ?? "dist";
const BUNDLED = ["preact", "@preact/signals", "@preact/signals-core", "uplot"];

const built = await build({
  entryPoints: { app: "src/main.tsx" },
  bundle: true,
  format: "esm",
  target: ["es2022"],
  minify: true,
  charset: "utf8",
  legalComments: "none", // LICENSES.txt has them whole
  jsx: "automatic",
  jsxImportSource: "preact",
  outdir: out,
  write: false,
});

rmSync(out, { recursive: true, force: true });
mkdirSync(`${out}/assets`, { recursive: true });

// The names carry a hash of the content: a browser may keep such a file for ever.
let page = readFileSync("index.html", "utf8");
function put(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 10);
  const hashed = name.replace(/(\.[a-z]+)$/, `-${hash}$1`);
  writeFileSync(`${out}/assets/${hashed}`, content);
  page = page.replace(`/assets/${name}`, `/assets/${hashed}`);
}
for (const file of built.outputFiles) put(file.path.replace(/.*[/\\]/, ""), file.contents);
put("icon.svg", readFileSync("src/icon.svg"));
writeFileSync(`${out}/index.html`, page);

function licence(name) {
  const folder = `node_modules/${name}`;
  const { version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const text = readFileSync(`${folder}/LICENSE`, "utf8").trim();
  return `${name} ${version} (${license})\n\n${text}\n`;
}
const rule = `\n${"-".repeat(78)}\n\n`;
writeFileSync(
  `${out}/assets/LICENSES.txt`,
  ["The console's script holds code of these projects.\n", ...BUNDLED.map(licence)].join(rule),
);
