// Numbers, times and names as people read them.

const counts = new Intl.NumberFormat();
const percents = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 0 });
const finePercents = new Intl.NumberFormat(undefined, {
  style: "percent",
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
});
const moments = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const clocks = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

export const count = (number) => counts.format(number);
export const percent = (share) => percents.format(share);
export const finePercent = (share) => finePercents.format(share);
export const clock = (date) => clocks.format(date);
export const plural = (number, one, many) => `${count(number)} ${number === 1 ? one : many}`;

// A part of an address as it was meant; empty where somebody cut it in the middle of an escape.
export function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

// A date of RFC 3339, or null where there is none.
export function parseTime(text) {
  const date = new Date(text ?? NaN);
  return Number.isNaN(date.getTime()) ? null : date;
}

export function moment(text) {
  const date = parseTime(text);
  return date ? moments.format(date) : "unknown";
}

const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

// "3 minutes ago"; a date from a week on.
export function ago(text, now = Date.now()) {
  const date = parseTime(text);
  if (!date) return "unknown";
  const seconds = (now - date.getTime()) / 1000;
  if (seconds > 7 * 86_400) return moments.format(date);
  for (const [unit, size] of UNITS) {
    if (seconds >= size) return relative.format(-Math.floor(seconds / size), unit);
  }
  return "just now";
}

// "1 h 20 min" of seconds.
export function duration(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const SOURCES = { youtube: "YouTube", x: "X" };
export const sourceName = (id) => SOURCES[id] ?? readable(id);

// `baggage_issue` -> `Baggage issue`, where no name is given.
export function readable(id) {
  const words = String(id ?? "").replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

// The eleven emotions of the model, and how each feels: the colour of its bar.
export const EMOTIONS = Object.freeze({
  anger: "negative",
  anticipation: "neutral",
  disgust: "negative",
  fear: "negative",
  joy: "positive",
  love: "positive",
  optimism: "positive",
  pessimism: "negative",
  sadness: "negative",
  surprise: "neutral",
  trust: "positive",
});
export const SENTIMENTS = Object.freeze(["positive", "neutral", "negative"]);
