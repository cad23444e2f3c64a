// Labelled fields, and the dialog that holds a form.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { asError } from "../lib/load";
import type { ApiError } from "../lib/api";
import { Button, Problem } from "./basics";

export function Field(props: {
  label: string;
  hint?: ComponentChildren;
  children: (id: string, hint: string | undefined) => ComponentChildren;
}) {
  const id = useId();
  const hint = props.hint ? `${id}-hint` : undefined;
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      {props.children(id, hint)}
      {props.hint && <small id={hint}>{props.hint}</small>}
    </div>
  );
}

interface TextProps {
  label: string;
  hint?: ComponentChildren;
  value: string;
  set: (value: string) => void;
  type?: "text" | "password" | "date";
  placeholder?: string;
  required?: boolean;
  autofocus?: boolean;
  autocomplete?: string;
  inputMode?: "decimal" | "numeric";
}

export function Text({ label, hint, value, set, type = "text", autocomplete = "off", ...rest }: TextProps) {
  const typed = (event: Event) => set((event.currentTarget as HTMLInputElement).value);
  const same = { ...rest, autocomplete, value, onInput: typed, spellcheck: false };
  return (
    <Field label={label} hint={hint}>
      {(id, described) =>
        type === "password" ? (
          <input {...same} type="password" id={id} aria-describedby={described} />
        ) : type === "date" ? (
          <input {...same} type="date" id={id} aria-describedby={described} />
        ) : (
          <input {...same} type="text" id={id} aria-describedby={described} />
        )
      }
    </Field>
  );
}

type AreaProps = {
  label: string;
  hint?: ComponentChildren;
  value: string;
  set: (value: string) => void;
  rows?: number;
  mono?: boolean;
  placeholder?: string;
};

export function Area({ label, hint, value, set, rows = 4, mono, placeholder }: AreaProps) {
  return (
    <Field label={label} hint={hint}>
      {(id, described) => (
        <textarea
          id={id}
          aria-describedby={described}
          rows={rows}
          class={mono ? "mono" : undefined}
          placeholder={placeholder}
          value={value}
          spellcheck={!mono}
          onInput={(event) => set(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

export function Select<T extends string>(props: {
  label: string;
  hint?: ComponentChildren;
  value: T;
  of: readonly (readonly [T, string])[];
  set: (value: T) => void;
}) {
  return (
    <Field label={props.label} hint={props.hint}>
      {(id, described) => (
        <select
          id={id}
          aria-describedby={described}
          value={props.value}
          onChange={(event) => props.set(event.currentTarget.value as T)}
        >
          {props.of.map(([value, text]) => (
            <option key={value} value={value} selected={value === props.value}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

export function Check({
  label,
  value,
  set,
}: {
  label: ComponentChildren;
  value: boolean;
  set: (value: boolean) => void;
}) {
  return (
    <label class="check">
      <input type="checkbox" checked={value} onChange={(event) => set(event.currentTarget.checked)} />
      {label}
    </label>
  );
}

interface DialogProps {
  title: string;
  close: () => void;
  submit?: () => Promise<unknown>; // stays open, and says why, where this fails
  word?: string;
  bad?: boolean;
  children: ComponentChildren;
}

// A modal dialog: the browser keeps the focus inside, and Escape closes it.
export function Dialog({ title, close, submit, word = "Save", bad, children }: DialogProps) {
  const box = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  useEffect(() => {
    box.current?.showModal();
  }, []);
  const run = async (event: Event) => {
    event.preventDefault();
    if (!submit) return close();
    setBusy(true);
    setError(undefined);
    try {
      await submit();
    } catch (failed) {
      setError(asError(failed));
    }
    setBusy(false);
  };
  return (
    <dialog ref={box} aria-labelledby={id} onClose={close}>
      <form onSubmit={run}>
        <h2 id={id}>{title}</h2>
        {children}
        {error && <Problem error={error} />}
        <div class="row end">
          {submit && (
            <Button tone="quiet" onClick={close}>
              Cancel
            </Button>
          )}
          <Button type="submit" tone={bad ? "bad" : "main"} disabled={busy}>
            {submit ? word : "Close"}
          </Button>
        </div>
      </form>
    </dialog>
  );
}
