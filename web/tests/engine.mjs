// Answers cases of forms, conditions and transforms: JSON on stdin, JSON on stdout. For tests that compare it with the server's engine.
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { createServer } from "vite";

const server = await createServer({
  root: fileURLToPath(new URL("..", import.meta.url)),
  configFile: false,
  appType: "custom",
  logLevel: "error",
  server: { middlewareMode: true, ws: false, watch: null },
  optimizeDeps: { noDiscovery: true, include: [] },
});
try {
  const { answers } = await server.ssrLoadModule("/tests/engine.ts");
  process.stdout.write(JSON.stringify(answers(JSON.parse(await text(process.stdin)))));
} finally {
  await server.close();
}
