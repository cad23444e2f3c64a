// Light or dark: as the system says, or as was chosen here. No cookie: the choice stays in this browser.
import { computed, effect, signal } from "@preact/signals";

type Chosen = "system" | "light" | "dark";
const NAME = "causeway-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

const chosen = signal<Chosen>((localStorage.getItem(NAME) as Chosen | null) ?? "system");
const systemDark = signal(system.matches);
system.addEventListener("change", () => (systemDark.value = system.matches));

export const theme = computed(() => ({
  chosen: chosen.value,
  dark: chosen.value === "dark" || (chosen.value === "system" && systemDark.value),
}));

effect(() => {
  document.documentElement.dataset.theme = theme.value.dark ? "dark" : "light";
});

export function switchTheme(): void {
  chosen.value = theme.value.dark ? "light" : "dark";
  localStorage.setItem(NAME, chosen.value);
}
