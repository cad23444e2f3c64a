// Calls of the admin port. The session is a cookie that scripts cannot read; what changes something carries the
// session's token as well.
import { signal } from "@preact/signals";

export interface Session {
  actor: string;
  role: "full" | "read";
  csrf: string;
  expires_at: number;
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly detail: Record<string, unknown> = {},
    readonly retryAfter = 0,
  ) {
    super(message);
  }
}

// undefined: not known yet; null: nobody is signed in.
export const session = signal<Session | null | undefined>(undefined);
export const mayChange = () => session.value?.role === "full";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export async function send(method: Method, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = {};
  if (body !== undefined) headers["content-type"] = "application/json";
  if (method !== "GET" && session.value) headers["x-csrf-token"] = session.value.csrf;
  let answer: Response;
  try {
    answer = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      signal,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, "unreachable", "Causeway does not answer. Is it still running?");
  }
  if (!answer.ok) throw await failure(answer, path);
  return answer;
}

async function failure(answer: Response, path: string): Promise<ApiError> {
  const value = (await answer.json().catch(() => ({}))) as { error?: Record<string, unknown> };
  const error = value.error ?? {};
  if (answer.status === 401 && path !== "/api/session") session.value = null;
  const message = String(error.message ?? `Causeway answered ${answer.status}.`);
  const wait = Number(answer.headers.get("retry-after")) || 0;
  return new ApiError(answer.status, String(error.code ?? ""), message, { ...value, ...error }, wait);
}

export async function call<T>(method: Method, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const answer = await send(method, path, body, signal);
  const text = await answer.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

export const get = <T>(path: string, signal?: AbortSignal) => call<T>("GET", path, undefined, signal);

// "?a=1&b=2" of what is set, or "".
export function query(words: Record<string, string | number | boolean | undefined | null>): string {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(words)) {
    if (value !== undefined && value !== null && value !== "" && value !== false) parts.set(name, String(value));
  }
  const text = parts.toString();
  return text ? `?${text}` : "";
}
