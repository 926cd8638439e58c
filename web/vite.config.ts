import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const COMPRESSED = /\.(js|css|svg|json)$/;

/** Writes `name.br` beside each asset: the server sends it to browsers that take brotli. */
function brotli(): Plugin {
  return {
    name: "brotli",
    apply: "build",
    writeBundle({ dir }) {
      const assets = join(dir ?? "dist", "assets");
      for (const name of readdirSync(assets).filter((name) => COMPRESSED.test(name))) {
        const file = join(assets, name);
        const quality = { [constants.BROTLI_PARAM_QUALITY]: 9 };
        writeFileSync(`${file}.br`, brotliCompressSync(readFileSync(file), { params: quality }));
      }
    },
  };
}

const AT_ONCE = new Set(["index", "desk", "form"]);

/**
 * Asks the browser to compile all of a file while it is loaded, beside the main thread, and not function by function when
 * they are called: of these files most are. Chromium knows it since 136; to others it is a comment.
 */
function compiledAtOnce(): Plugin {
  return {
    name: "compiled-at-once",
    apply: "build",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        for (const chunk of Object.values(bundle)) {
          if (chunk.type !== "chunk" || !AT_ONCE.has(chunk.name)) continue;
          chunk.code = `//# allFunctionsCalledOnLoad\n${chunk.code}`;
        }
      },
    },
  };
}

/**
 * What is always needed together comes in one file, each with all that it imports: browsers open six connections, and a
 * hundred small files would come one after the other. What is imported when it is wanted stays apart.
 */
const CHUNKS = [
  { name: "shell", tags: ["$initial" as const], priority: 3 },
  { name: "form", test: /src\/schema-form\/(FormEditor|check|first)\.tsx?$/, priority: 2 },
  { name: "desk", test: /src\/pages\/workbench\/(WorkbenchPage|FunctionPage)\.tsx$/, priority: 1 },
  { name: "answer", test: /src\/views\/(View|Views|KeyValue|log\/LogView)\.tsx$/ },
];

const server = process.env.CROUPIER_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react(), compiledAtOnce(), brotli()],
  resolve: { alias: { "#": fileURLToPath(new URL("./src", import.meta.url)) } },
  // The server puts a new nonce in its place in every answer.
  html: { cspNonce: "__CSP_NONCE__" },
  worker: { format: "es" },
  build: {
    target: "es2023",
    modulePreload: { polyfill: false },
    // Nothing is inlined as data: or blob: where the policy of the page would refuse it.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1200,
    reportCompressedSize: false,
    rolldownOptions: { output: { codeSplitting: { groups: CHUNKS } } },
  },
  server: { proxy: { "/api": server, "/plugins": server } },
  test: {
    environment: "happy-dom",
    setupFiles: ["tests/setup.ts"],
    include: ["src/**/*.test.{ts,tsx}", "tests/**/*.test.{ts,tsx}"],
    testTimeout: 20_000,
  },
});
