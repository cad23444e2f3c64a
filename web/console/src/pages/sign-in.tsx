import { useState } from "preact/hooks";
import type { ApiError } from "../lib/api";
import { asError } from "../lib/load";
import { signIn } from "../lib/session";
import { Button, Note } from "../ui/basics";
import { Text } from "../ui/fields";
import { Logo } from "../ui/icons";

export function SignIn() {
  const [key, setKey] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await signIn(key.trim());
    } catch (failed) {
      setError(asError(failed));
      setBusy(false);
    }
  };
  return (
    <main class="sign-in">
      <form class="card" onSubmit={submit}>
        <div class="stack tight">
          <span class="brand">
            <Logo />
            Causeway
          </span>
          <h1>Sign in</h1>
          <p class="soft">
            With an admin key. The first one was printed when Causeway was started;{" "}
            <code>causeway keys create --kind admin</code> makes more.
          </p>
        </div>
        <Text
          label="Admin key"
          type="password"
          required
          autofocus
          autocomplete="current-password"
          value={key}
          set={setKey}
          placeholder="cw-…"
        />
        {error && (
          <Note tone="bad" alert>
            {explained(error)}
          </Note>
        )}
        <Button type="submit" tone="main" disabled={busy || !key.trim()}>
          {busy ? "Signing in…" : "Sign in"}
        </Button>
      </form>
    </main>
  );
}

function explained(error: ApiError): string {
  if (error.code === "locked_out" || error.status === 429) {
    return `Too many wrong keys came from this address. Try again in ${error.retryAfter || 60} seconds.`;
  }
  if (error.status === 401) return "This is no admin key that works. Application keys do not open the console.";
  return error.message;
}
