// The place in the console is the address behind "#": "#/traces/req_1?model=fast". It is the link to share.
import { signal } from "@preact/signals";

export interface Place {
  path: string[];
  words: Record<string, string>;
}

function read(): Place {
  const [path = "", words = ""] = location.hash.replace(/^#/, "").split("?", 2);
  const steps = path.split("/").filter(Boolean).map(decoded);
  return { path: steps, words: Object.fromEntries(new URLSearchParams(words)) };
}

function decoded(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}

export const place = signal<Place>(read());
addEventListener("hashchange", () => (place.value = read()));

type Words = Record<string, string | number | undefined | null>;

export function link(path: string | string[], words: Words = {}): string {
  const steps = typeof path === "string" ? [path] : path;
  const set = Object.entries(words).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = new URLSearchParams(set.map(([name, value]) => [name, String(value)])).toString();
  return `#/${steps.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

export function go(path: string | string[], words: Words = {}, replace = false): void {
  const to = link(path, words);
  if (replace) {
    history.replaceState(null, "", to);
    place.value = read();
  } else {
    location.hash = to;
  }
}

// Sets words of the address and leaves the others; an empty word goes.
export function setWords(words: Words): void {
  go(place.value.path, { ...place.value.words, ...words }, true);
}
