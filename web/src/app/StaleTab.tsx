import { Alert, Button, Group } from "@mantine/core";
import { useEffect, useState } from "react";
import { useTexts } from "#/i18n/texts";
import { useHealth } from "./health";
import { shellTexts } from "./texts";
import { hasTyped } from "./typed";

/** A tab that is out of date loads itself again when nobody looks; one that is looked at says so. */
export function StaleTab() {
  const text = useTexts(shellTexts);
  const build = useHealth()?.build;
  const stale = isStale(build);
  const [later, setLater] = useState(false);
  useEffect(() => {
    if (!stale) return;
    const reload = () => {
      if (document.visibilityState === "hidden" && !hasTyped()) globalThis.location.reload();
    };
    reload();
    document.addEventListener("visibilitychange", reload);
    return () => document.removeEventListener("visibilitychange", reload);
  }, [stale]);
  if (!stale || later) return null;
  return (
    <Alert className="stale" role="status" color="blue" title={text.stale.title}>
      {text.stale.hint}
      <Group gap="xs" mt="xs">
        <Button onClick={() => globalThis.location.reload()}>{text.stale.reload}</Button>
        <Button variant="default" onClick={() => setLater(true)}>
          {text.stale.later}
        </Button>
      </Group>
    </Alert>
  );
}

/** Whether the server serves another page than this tab came with. */
export function isStale(served: string | undefined): boolean {
  const ours = document.querySelector<HTMLMetaElement>('meta[name="build"]')?.content;
  return Boolean(ours && served && ours !== served);
}
