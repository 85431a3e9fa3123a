// Elements. Everything stored goes through here as text, never as markup.

export const byId = (id) => document.getElementById(id);

// An element; children that are no elements become text.
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name === "text") element.textContent = value;
    else if (name === "class") element.className = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export function show(element, visible) {
  element.hidden = !visible;
}

// Sets text only where it differs, so that nothing is laid out (or read out) again for nothing.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

let lastSaid = 0;

// Says something to screen readers; `minor` news are dropped while others are fresh.
export function announce(text, { minor = false } = {}) {
  const now = performance.now();
  if (minor && now - lastSaid < 10_000) return;
  lastSaid = now;
  setText(byId("announcer"), text);
}

// Calls `draw` in the next frame, however often it is asked, and not more often than `everyMs`.
export function batched(draw, everyMs) {
  let asked = false;
  let last = -Infinity;
  const frame = (now) => {
    if (now - last < everyMs) {
      requestAnimationFrame(frame);
      return;
    }
    asked = false;
    last = now;
    draw();
  };
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(frame);
  };
}

export const calm = matchMedia("(prefers-reduced-motion: reduce)");
