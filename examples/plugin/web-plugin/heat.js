// A renderer of a pack: one cell for each number, the warmer the higher. docs/reference/plugins.md has the messages.
const VERSION = 1;
const LOOKS = {
  light: { ink: "#1a1a1a", cold: [237, 242, 255], warm: [59, 91, 219], onWarm: "#ffffff" },
  dark: { ink: "#e6e6e6", cold: [36, 40, 60], warm: [116, 143, 252], onWarm: "#10121c" },
};

const strip = document.createElement("div");
document.body.append(strip);
document.body.style.margin = "0";
Object.assign(strip.style, { display: "flex", flexWrap: "wrap", gap: "2px", font: "12px system-ui, sans-serif" });

const tell = (message) => parent.postMessage({ croupier: VERSION, ...message }, "*");

function cell(value, place, { look, share, unit, number }) {
  const colour = look.cold.map((cold, index) => Math.round(cold + (look.warm[index] - cold) * share));
  const box = document.createElement("div");
  box.textContent = number.format(value);
  box.title = `${place}: ${number.format(value)} ${unit}`;
  Object.assign(box.style, {
    minWidth: "44px",
    padding: "8px 4px",
    textAlign: "center",
    borderRadius: "3px",
    background: `rgb(${colour})`,
    color: share > 0.55 ? look.onWarm : look.ink,
  });
  return box;
}

function draw({ value, theme, lang, view }) {
  if (!Array.isArray(value) || !value.every((each) => typeof each === "number")) throw new TypeError("heat.strip draws a list of numbers");
  const [lowest, highest] = [Math.min(...value), Math.max(...value)];
  const unit = view.options.unit?.[lang.startsWith("zh") ? "zh" : "en"] ?? "";
  const number = new Intl.NumberFormat(lang);
  strip.setAttribute("role", "img");
  strip.setAttribute("aria-label", `${view.title}: ${number.format(lowest)} – ${number.format(highest)} ${unit}`);
  const shared = { look: LOOKS[theme], unit, number };
  strip.replaceChildren(
    ...value.map((each, place) => cell(each, place, { ...shared, share: highest > lowest ? (each - lowest) / (highest - lowest) : 0.5 })),
  );
}

addEventListener("message", (event) => {
  if (event.source !== parent || event.data?.croupier !== VERSION || event.data.type !== "data") return;
  try {
    draw(event.data);
  } catch (error) {
    tell({ type: "error", message: String(error) });
  }
});

new ResizeObserver(() => tell({ type: "height", height: strip.scrollHeight })).observe(strip);
tell({ type: "ready" });
