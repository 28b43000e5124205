// The table of what clients can, in docs/compatibility.md.
//
// Each suite of a language other than Go owns the rows that begin with its name
// there, below a marker. They are compared with what the tests saw; UPDATE=1 writes
// them.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const language = "Node.js";
const marker = "<!-- clients of other languages -->";
const file = fileURLToPath(new URL("../../docs/compatibility.md", import.meta.url));

export const features = [
  "text", "streamed", "tools", "parallel tools", "tools streamed", "image", "structured", "reasoning", "usage", "mask", "mask streamed", "declined", "withheld",
];

const head = `| language | client | provider | ${features.join(" | ")} |\n|${"---|".repeat(features.length + 3)}`;

let seen = new Map();

// see notes whether a client can something before a provider: "yes", "refused" or
// "no".
export function see(client, provider, feature, outcome) {
  const row = `| ${language} | ${client} | ${provider} |`;
  seen.set(row, { ...seen.get(row), [feature]: outcome });
}

// check prints the rows of the clients that were tried, and compares them with the
// document.
export function check() {
  const rows = [...seen].map(([row, cells]) => `${row} ${features.map((f) => cells[f] ?? "–").join(" | ")} |`).sort();
  const clients = [...seen.keys()].map((row) => row.split("|").slice(0, 3).join("|") + "|");
  seen = new Map();
  if (rows.length === 0) return;
  console.log([head, ...rows].join("\n"));
  const [above, below] = readFileSync(file, "utf8").split(marker);
  assert.notEqual(below, undefined, `docs/compatibility.md lacks the marker ${marker}`);
  const lines = below.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| language |"));
  const ours = (line) => clients.some((client) => line.startsWith(client));
  if (process.env.UPDATE === "1") {
    const all = [...lines.filter((line) => !ours(line)), ...rows].sort();
    const [intro] = below.split("\n| "); // what is written by hand
    writeFileSync(file, `${above}${marker}${intro.trimEnd()}\n\n${head}\n${all.join("\n")}\n`);
    return;
  }
  assert.deepEqual(lines.filter(ours), rows, "docs/compatibility.md says something else; UPDATE=1 writes what the tests saw");
}
