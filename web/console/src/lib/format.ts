// Numbers, times and sizes as people read them.
const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

const fine = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

export const number = (value: number | null | undefined) =>
  value == null ? "–" : Math.abs(value) < 10 ? fine.format(value) : plain.format(value);

export const compact = (value: number | null | undefined) =>
  value == null
    ? "–"
    : Math.abs(value) < 100
      ? number(value)
      : Math.abs(value) < 10_000
        ? whole.format(value)
        : short.format(value);

export function milliseconds(ms: number | null | undefined): string {
  if (ms == null) return "–";
  if (ms > 0 && ms < 0.001) return "< 1 µs";
  if (ms === 0) return "0 ms";
  if (ms < 1) return `${plain.format(ms * 1000)} µs`;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toFixed(ms < 10_000 ? 2 : 1))} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

// To make one takes longer than to use it a hundred times.
const moneys = new Map<string, Intl.NumberFormat>();
function moneyFormat(currency: string, digits: number): Intl.NumberFormat {
  const name = `${currency} ${digits}`;
  let made = moneys.get(name);
  if (!made) {
    made = new Intl.NumberFormat("en", {
      style: "currency",
      currency,
      minimumFractionDigits: 2,
      maximumFractionDigits: digits,
    });
    moneys.set(name, made);
  }
  return made;
}

export function money(value: number | string | null | undefined, currency = "USD"): string {
  if (value == null || value === "") return "–";
  const sum = Number(value);
  const digits = sum !== 0 && Math.abs(sum) < 0.01 ? 6 : Math.abs(sum) < 1 ? 4 : 2;
  try {
    return moneyFormat(currency, digits).format(sum);
  } catch {
    return `${sum.toFixed(digits)} ${currency}`;
  }
}

export const percent = (share: number | null | undefined) =>
  share == null || !Number.isFinite(share) ? "–" : `${(share * 100).toFixed(share !== 0 && share < 0.1 ? 1 : 0)} %`;

export function bytes(value: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}

// A moment as the API gives it: seconds, milliseconds, or a text.
export function moment(value: number | string): Date {
  if (typeof value === "string") return new Date(value);
  return new Date(value < 1e11 ? value * 1000 : value);
}

const two = (value: number) => String(value).padStart(2, "0");

export function clock(value: number | string): string {
  const at = moment(value);
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return at.toDateString() === new Date().toDateString() ? time : `${day(at)} ${time}`;
}

export const day = (at: Date) => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;

export function full(value: number | string): string {
  const at = moment(value);
  return Number.isNaN(at.getTime())
    ? String(value)
    : `${day(at)} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

// A time as filters take it.
export const isoTime = (seconds: number) => `${new Date(Math.floor(seconds) * 1000).toISOString().slice(0, 19)}Z`;

export function span(seconds: number): string {
  const units: [number, string][] = [
    [86_400, "d"],
    [3600, "h"],
    [60, "min"],
    [1, "s"],
  ];
  const [size, name] = units.find(([size]) => seconds >= size) ?? [1, "s"];
  return `${Math.round(seconds / size)} ${name}`;
}

export function ago(value: number | string): string {
  const seconds = (Date.now() - moment(value).getTime()) / 1000;
  if (Number.isNaN(seconds)) return String(value);
  return seconds < 0 ? `in ${span(-seconds)}` : seconds < 2 ? "now" : `${span(seconds)} ago`;
}

export const words = (name: string) => name.replaceAll("_", " ");
