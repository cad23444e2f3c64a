// The configuration as somebody is changing it. It outlives a visit to another page, in this tab's memory only.
import { signal } from "@preact/signals";
import { session } from "./api";

export interface Draft {
  text: string;
  base: string; // the file's text that it began with
  sha256: string; // of that file
}

const kept = signal<(Draft & { actor?: string }) | null>(null);

// Only to who wrote it: another person may sign in in the same tab.
export const draft = (): Draft | null => (kept.value?.actor === session.value?.actor ? kept.value : null);
export const keepDraft = (next: Draft) => (kept.value = { ...next, actor: session.value?.actor });
export const dropDraft = () => (kept.value = null);
export const isUnsaved = (of: Draft | null) => of !== null && of.text !== of.base;

addEventListener("beforeunload", (event) => {
  if (isUnsaved(kept.value)) event.preventDefault();
});
