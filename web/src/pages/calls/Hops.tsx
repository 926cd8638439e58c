import "./hops.css";
import { Text } from "@mantine/core";
import { useLocale, useTexts } from "#/i18n/texts";
import { duration } from "#/views";
import type { RecordedCall } from "./queries";
import { callsTexts } from "./texts";

export interface Hop {
  readonly name: "recorded" | "server" | "agent" | "handler";
  readonly us: number;
}

/** The parts of a call's time. Each clock measured a whole that has the next inside; what is left of it is its own. */
export function hopsOf(timings: RecordedCall["timings"]): readonly Hop[] {
  const { server_us, recorded_us, agent_us, handler_us } = timings;
  const rest = (whole: number, inside: number) => Math.max(0, whole - inside);
  const hops: Hop[] = [
    { name: "recorded", us: recorded_us },
    { name: "server", us: rest(server_us, recorded_us + agent_us) },
    { name: "agent", us: rest(agent_us, handler_us) },
    { name: "handler", us: handler_us },
  ];
  return hops.filter(({ us }) => us > 0);
}

/** Where the time of a call went, as one bar. */
export function Hops({ timings }: { timings: RecordedCall["timings"] }) {
  const text = useTexts(callsTexts);
  const locale = useLocale();
  const hops = hopsOf(timings);
  const total = hops.reduce((sum, { us }) => sum + us, 0);
  if (total === 0) return <Text c="dimmed">{text.noTimings}</Text>;
  return (
    <div>
      <div className="hops" aria-hidden>
        {hops.map(({ name, us }) => (
          <span key={name} data-hop={name} style={{ flexGrow: us / total }} title={text.hops[name]} />
        ))}
      </div>
      <ul className="hop-names" title={text.hopHint}>
        {hops.map(({ name, us }) => (
          <li key={name}>
            <span className="hop-dot" data-hop={name} aria-hidden /> {text.hops[name]}{" "}
            <strong>{duration(us / 1_000, locale)}</strong>
          </li>
        ))}
      </ul>
    </div>
  );
}
