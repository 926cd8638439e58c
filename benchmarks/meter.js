/** Put into each page before its own scripts: what the browser tells of keys and frames. */
{
  const meter = { usable: null };
  globalThis.meter = meter;
  let keys = [];

  // From the key to the next picture, in steps of 8 ms; what takes less than 16 ms is not told.
  new PerformanceObserver((list) => {
    for (const { name, duration } of list.getEntries()) if (name.startsWith("key")) keys.push(duration);
  }).observe({ type: "event", durationThreshold: 16 });

  meter.forget = () => (keys = []);
  meter.shown = () => Math.max(0, ...keys);

  /** Notes when `selectors` are all there and drawn, in ms since the page was asked for. */
  meter.awaitUsable = (selectors) => {
    const look = () => {
      const there = selectors.every((each) => document.querySelector(each)?.checkVisibility());
      if (!there) requestAnimationFrame(look);
      // The task after a frame begins when that has been drawn.
      else requestAnimationFrame(() => setTimeout(() => (meter.usable = performance.now())));
    };
    requestAnimationFrame(look);
  };

  /** The names of the scripts that had come when the page could be used. */
  meter.loadedBy = () => {
    const scripts = performance.getEntriesByType("resource").filter(({ name }) => name.endsWith(".js"));
    return scripts.filter(({ responseEnd }) => responseEnd < meter.usable).map(({ name }) => name.split("/").at(-1));
  };

  let going = false;
  let took = [];
  /** Takes note of the time between frames from now on, and does `step` in each. */
  meter.watch = (step = () => undefined) => {
    let last = 0;
    took = [];
    going = true;
    const go = (now) => {
      if (last) took.push(now - last);
      last = now;
      step();
      if (going) requestAnimationFrame(go);
    };
    requestAnimationFrame(go);
  };
  meter.watched = () => {
    going = false;
    return { took };
  };

  /** Scrolls down by so many pixels in each of `count` frames; says how long they took, and how many elements there were at most. */
  meter.scroll = (selector, pixels, count) => {
    const box = document.querySelector(selector);
    let most = 0;
    return new Promise((done) => {
      meter.watch(() => {
        box.scrollTop += pixels;
        most = Math.max(most, box.querySelectorAll("*").length);
        if (took.length >= count) done({ ...meter.watched(), most, top: box.scrollTop });
      });
    });
  };
}
