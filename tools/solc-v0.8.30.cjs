#!/usr/bin/env node
// The Solidity compiler from npm (the same compiler as the native one, in WebAssembly) behind the
// part of solc's command line that Ape, forge and slither use: --version, and standard JSON on stdin.
// solc's own `solcjs --standard-json` does not serve: it prints a line that is not JSON.
"use strict";
const fs = require("fs");
const path = require("path");

// Options that take a value, of which only the base path and include paths matter here: the WebAssembly
// compiler reads no file by itself, so there is nothing to allow beyond what `readImport` finds.
const WITH_VALUE = new Set(["--allow-paths", "--base-path", "--include-path", "--root-path"]);
const FLAGS = new Set(["--standard-json", "--version", "--no-import-callback", "-"]);

function parse(argv) {
  const seen = new Set();
  const roots = [];
  for (let i = 0; i < argv.length; i++) {
    const [name, inline] = argv[i].split(/=(.*)/s, 2);
    if (WITH_VALUE.has(name)) {
      const value = inline === undefined ? argv[++i] : inline;
      if (name !== "--allow-paths") roots.push(value);
    } else if (FLAGS.has(name)) {
      seen.add(name);
    } else {
      process.stderr.write(`unrecognised option '${argv[i]}'\n`);
      process.exit(1);
    }
  }
  return { seen, roots: [...roots, process.cwd()] };
}

function readImport(roots) {
  return (name) => {
    for (const root of roots) {
      const file = path.resolve(root, name.replace(/^file:\/\//, ""));
      if (fs.existsSync(file)) return { contents: fs.readFileSync(file, "utf8") };
    }
    return { error: `${name} not found under ${roots.join(", ")}` };
  };
}

// Of npm's release by its version, so that it need not be loaded to say it: that takes a second, and
// Ape and forge ask at every start. A test holds this against the compiler.
const SAID = { "0.8.30": "0.8.30+commit.73712a01.Emscripten.clang" };

// Both are resolved from this file's real place: the project's node_modules.
const compiler = () => require("solc");
const version = () => SAID[require("solc/package.json").version] ?? compiler().version();

const { seen, roots } = parse(process.argv.slice(2));
if (seen.has("--version")) {
  process.stdout.write(
    `solc, the solidity compiler commandline interface\nVersion: ${version()}\n`,
  );
} else if (seen.has("--standard-json")) {
  const chunks = [];
  process.stdin.on("data", (chunk) => chunks.push(chunk));
  process.stdin.on("end", () => {
    const input = Buffer.concat(chunks).toString("utf8");
    process.stdout.write(compiler().compile(input, { import: readImport(roots) }) + "\n");
  });
} else {
  process.stderr.write("expected --version or --standard-json\n");
  process.exit(1);
}
