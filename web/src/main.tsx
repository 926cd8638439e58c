import "@mantine/core/styles.css";
import "@mantine/spotlight/styles.css";
import "./styles.css";
import { localStorageColorSchemeManager, MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { setNonce } from "get-nonce";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { askEarly } from "./app/early";
import { nonce } from "./app/nonce";
import { queryClient } from "./app/queries";
import { router } from "./app/router";
import { contrasts } from "./colors";
import { theme } from "./theme";

const colorScheme = localStorageColorSchemeManager({ key: "croupier.theme" });

// For what keeps the page still behind a dialog: a style sheet made by a library that Mantine uses.
setNonce(nonce());

askEarly(queryClient, globalThis.location);

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      colorSchemeManager={colorScheme}
      defaultColorScheme="auto"
      getStyleNonce={nonce}
      cssVariablesResolver={contrasts}
    >
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
