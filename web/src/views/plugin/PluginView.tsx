import { Alert, Skeleton, Text, useComputedColorScheme } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useRef, useState } from "react";
import { api, body } from "#/api/client";
import { ProblemBox } from "#/components/ProblemBox";
import { inLanguage, useLanguage, useLocale, useTexts } from "#/i18n/texts";
import { Mismatch } from "../Mismatch";
import type { ViewSpec } from "../spec";
import { viewTexts } from "../texts";
import { type DataMessage, type FrameMessage, PROTOCOL, readFrameMessage } from "./protocol";

interface Props {
  readonly view: ViewSpec;
  readonly value: unknown;
}

/** A view that a pack draws by a script of its own, in a frame that reaches nothing but this page by messages. */
export function PluginView({ view, value }: Props) {
  const text = useTexts(viewTexts);
  const plugins = useQuery({
    queryKey: ["plugins"],
    queryFn: ({ signal }) => body(api.GET("/api/plugins", { signal })),
    staleTime: 60_000,
  });
  if (plugins.isPending) return <Skeleton height={80} />;
  if (!plugins.data) return <ProblemBox error={plugins.error} again={() => void plugins.refetch()} />;
  const plugin = plugins.data.plugins.find(({ renderers }) => renderers.includes(view.renderer));
  if (!plugin) return <Mismatch message={text.unknownRenderer(view.renderer.slice(0, 100))} value={value} />;
  return <Frame key={plugin.frame} address={plugin.frame} view={view} value={value} />;
}

const PATIENCE = 10_000;
const FIRST_HEIGHT = 160;

function Frame({ address, view, value }: Props & { address: string }) {
  const text = useTexts(viewTexts);
  const title = inLanguage(view.title, useLanguage(), view.id);
  const { frame, ready, height, fault, late } = useFrame({ view, value, title });
  if (late) return <Mismatch message={text.pluginSilent} value={value} />;
  return (
    <>
      {!ready && !fault && <Text c="dimmed">{text.pluginWaiting}</Text>}
      {fault && (
        <Alert color="orange" title={text.pluginFault} role="alert">
          <Text style={{ overflowWrap: "anywhere" }}>{fault}</Text>
        </Alert>
      )}
      <iframe
        ref={frame}
        src={address}
        title={title}
        sandbox="allow-scripts"
        referrerPolicy="no-referrer"
        style={{ width: "100%", height, border: 0, display: "block", colorScheme: "normal" }}
      />
      {fault && <Mismatch message="" value={value} />}
    </>
  );
}

/** The page's side of the protocol: tells the frame what to draw, and again when that changes; hears how high it is. */
function useFrame({ view, value, title }: Props & { title: string }) {
  const theme = useComputedColorScheme("light");
  const lang = useLocale();
  const frame = useRef<HTMLIFrameElement>(null);
  const [ready, setReady] = useState(false);
  const [height, setHeight] = useState(FIRST_HEIGHT);
  const [fault, setFault] = useState("");
  const [late, setLate] = useState(false);
  const hear = useEffectEvent((message: FrameMessage) => {
    if (message.type === "ready") setReady(true);
    else if (message.type === "height") setHeight(message.height);
    else setFault(message.message);
  });
  useEffect(() => {
    const onMessage = (event: MessageEvent) => {
      // A frame without an origin is known by its window alone.
      const message = event.source === frame.current?.contentWindow ? readFrameMessage(event.data) : null;
      if (message) hear(message);
    };
    globalThis.addEventListener("message", onMessage);
    return () => globalThis.removeEventListener("message", onMessage);
  }, []);
  useEffect(() => {
    if (ready) return;
    const timer = setTimeout(() => setLate(true), PATIENCE);
    return () => clearTimeout(timer);
  }, [ready]);
  useEffect(() => {
    if (!ready) return;
    const { id, renderer, options } = view;
    const message: DataMessage = {
      croupier: PROTOCOL,
      type: "data",
      view: { id, renderer, title, options },
      value,
      theme,
      lang,
    };
    // No origin can be named for a frame that has none; where it stands, nothing else can be loaded (docs/decisions/0022).
    frame.current?.contentWindow?.postMessage(message, "*");
  }, [ready, view, title, value, theme, lang]);
  return { frame, ready, height, fault, late };
}
