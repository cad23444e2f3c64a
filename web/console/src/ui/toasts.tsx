// Short messages in the corner: what was done, or why not.
import { signal } from "@preact/signals";
import { asError } from "../lib/load";
import { Icon } from "./icons";

interface Toast {
  number: number;
  text: string;
  tone: "good" | "bad";
}

const toasts = signal<Toast[]>([]);
let last = 0;

export function say(text: string, tone: "good" | "bad" = "good"): void {
  const toast = { number: ++last, text, tone };
  toasts.value = [...toasts.value.slice(-3), toast];
  setTimeout(() => drop(toast.number), tone === "bad" ? 12_000 : 5000);
}

const drop = (number: number) => (toasts.value = toasts.value.filter((one) => one.number !== number));

// Does something that may fail, and says so when it does.
export async function attempt(action: () => Promise<unknown>, done = ""): Promise<boolean> {
  try {
    await action();
    if (done) say(done);
    return true;
  } catch (error) {
    say(asError(error).message, "bad");
    return false;
  }
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((toast) => (
        <div class="toast" key={toast.number}>
          <Icon name={toast.tone === "bad" ? "warn" : "check"} />
          <span>{toast.text}</span>
          <button type="button" aria-label="Dismiss" onClick={() => drop(toast.number)}>
            ✕
          </button>
        </div>
      ))}
    </div>
  );
}
