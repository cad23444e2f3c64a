// Signing in and out, and which parts of the API this program has: a page without its route is not shown.
import { signal } from "@preact/signals";
import { call, get, session, type Session } from "./api";
import type { Status } from "./types";

const PARTS = {
  overview: "/api/overview",
  history: "/api/history",
  playground: "/api/playground",
  traces: "/api/traces",
  tests: "/api/test-cases",
  usage: "/api/usage",
  keys: "/api/keys",
  models: "/api/models",
  providers: "/api/providers",
  engine: "/api/engine",
  pii: "/api/pii/scan",
  config: "/api/config",
  alerts: "/api/alerts",
  overload: "/api/overload",
} as const;
export type Part = keyof typeof PARTS;

export const parts = signal<ReadonlySet<Part>>(new Set());
export const has = (part: Part) => parts.value.has(part);
export const status = signal<Status | null>(null);

export async function resume(): Promise<void> {
  try {
    await begin(await get<Session>("/api/session"));
  } catch {
    session.value = null;
  }
}

export async function signIn(key: string): Promise<void> {
  await begin(await call<Session>("POST", "/api/session", { key }));
}

export async function signOut(): Promise<void> {
  await call("DELETE", "/api/session").catch(() => undefined);
  session.value = null;
}

async function begin(opened: Session): Promise<void> {
  const [{ routes }] = await Promise.all([get<{ routes: { path: string }[] }>("/api"), readStatus()]);
  const paths = new Set(routes.map((route) => route.path));
  parts.value = new Set((Object.keys(PARTS) as Part[]).filter((part) => paths.has(PARTS[part])));
  session.value = opened;
}

export async function readStatus(): Promise<void> {
  status.value = await get<Status>("/api/status").catch(() => null);
}
