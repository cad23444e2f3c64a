// Cards, buttons, badges, notes: what every page is put together from.
import type { ButtonHTMLAttributes, ComponentChildren } from "preact";
import { useEffect, useId, useState } from "preact/hooks";
import type { ApiError } from "../lib/api";
import type { Loaded } from "../lib/load";
import { say } from "./toasts";
import { Icon, type IconName } from "./icons";

export type Tone = "plain" | "good" | "warn" | "bad" | "info" | "accent";

export function Page(props: {
  title: string;
  about?: ComponentChildren;
  actions?: ComponentChildren;
  children: ComponentChildren;
}) {
  useEffect(() => {
    document.title = `${props.title} · Causeway`;
  }, [props.title]);
  return (
    <div class="page">
      <div class="page-head">
        <div>
          <h1>{props.title}</h1>
          {props.about && <p>{props.about}</p>}
        </div>
        {props.actions && <div class="row">{props.actions}</div>}
      </div>
      {props.children}
    </div>
  );
}

export function Card(props: {
  title?: ComponentChildren;
  about?: ComponentChildren;
  actions?: ComponentChildren;
  flush?: boolean;
  class?: string;
  busy?: boolean;
  children?: ComponentChildren;
}) {
  const id = useId();
  return (
    <section
      class={`card ${props.class ?? ""}`}
      aria-labelledby={props.title ? id : undefined}
      aria-busy={props.busy || undefined}
    >
      {props.title && (
        <header>
          <h2 id={id}>{props.title}</h2>
          {props.actions && <div class="row tight">{props.actions}</div>}
          {props.about && <p>{props.about}</p>}
        </header>
      )}
      <div class={props.flush ? "flush" : "body"}>{props.children}</div>
    </section>
  );
}

type ButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, "icon" | "type"> & {
  tone?: "main" | "bad" | "quiet";
  small?: boolean;
  icon?: IconName;
  label?: string; // for a button that shows an icon alone
  disabled?: boolean;
  type?: "button" | "submit";
};

export function Button({ tone, small, icon, label, type = "button", children, ...rest }: ButtonProps) {
  const kind = ["button", tone, small && "small", !children && "icon"].filter(Boolean).join(" ");
  return (
    <button {...rest} type={type} class={kind} aria-label={label ?? rest["aria-label"]} title={label}>
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

export function Badge({
  tone = "plain",
  wrap,
  children,
}: {
  tone?: Tone;
  wrap?: boolean;
  children: ComponentChildren;
}) {
  return <span class={`badge ${tone}${wrap ? " wrap" : ""}`}>{children}</span>;
}

export function Note({
  tone = "info",
  children,
  alert,
}: {
  tone?: "info" | "good" | "warn" | "bad";
  children: ComponentChildren;
  alert?: boolean;
}) {
  const icon = tone === "info" ? "info" : tone === "good" ? "check" : "warn";
  return (
    <div class={`note ${tone}`} role={alert ? "alert" : undefined}>
      <Icon name={icon} />
      <div>{children}</div>
    </div>
  );
}

export function Problem({ error, again }: { error: ApiError; again?: () => void }) {
  return (
    <Note tone="bad" alert>
      <span>
        <b>{error.message}</b> {error.code && <code>{error.code}</code>}
      </span>
      {again && (
        <div class="row">
          <Button small icon="again" onClick={again}>
            Try again
          </Button>
        </div>
      )}
    </Note>
  );
}

export function Empty({
  title,
  icon = "empty",
  children,
}: {
  title: string;
  icon?: IconName;
  children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <h3>{title}</h3>
      {children && <p>{children}</p>}
    </div>
  );
}

export const Loading = () => (
  <div class="loading" role="status">
    Loading…
  </div>
);

// Shows what was loaded; until then that it loads, or why it could not be.
export function Shown<T>({ of, children }: { of: Loaded<T>; children: (data: T) => ComponentChildren }) {
  if (of.data === undefined) return of.error ? <Problem error={of.error} again={of.reload} /> : <Loading />;
  return (
    <>
      {of.error && <Problem error={of.error} again={of.reload} />}
      {children(of.data)}
    </>
  );
}

export function Choice<T extends string>(props: {
  label: string;
  value: T;
  of: readonly (T | readonly [T, string])[];
  set: (value: T) => void;
}) {
  return (
    <div class="choice" role="group" aria-label={props.label}>
      {props.of.map((one) => {
        const [value, text] = typeof one === "string" ? [one, one] : one;
        return (
          <button type="button" key={value} aria-pressed={value === props.value} onClick={() => props.set(value as T)}>
            {text}
          </button>
        );
      })}
    </div>
  );
}

export function CopyButton({
  text,
  label = "Copy",
  small = true,
  said = "Copied",
}: {
  text: string | (() => string);
  label?: string;
  small?: boolean;
  said?: string;
}) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(typeof text === "string" ? text : text());
      setDone(true);
      setTimeout(() => setDone(false), 1500);
    } catch {
      say("The browser does not let this page copy. Mark the text and copy it by hand.", "bad");
    }
  };
  return (
    <Button small={small} icon={done ? "check" : "copy"} onClick={copy}>
      <span aria-live="polite">{done ? said : label}</span>
    </Button>
  );
}

export function Stat(props: {
  name: string;
  value: ComponentChildren;
  more?: ComponentChildren;
  href?: string;
  tone?: Tone;
  children?: ComponentChildren;
}) {
  const inside = (
    <>
      <span class="name">{props.name}</span>
      <span class="value">{props.value}</span>
      {props.more && <span class="more">{props.more}</span>}
      {props.children}
    </>
  );
  return props.href ? (
    <a class="card stat" href={props.href}>
      {inside}
    </a>
  ) : (
    <div class="card stat">{inside}</div>
  );
}

export interface Share {
  name: ComponentChildren;
  value: number;
  text?: ComponentChildren;
}

// Shares of the largest, as bars with their numbers.
export function Bars({ of, bad }: { of: Share[]; bad?: boolean }) {
  const most = Math.max(1e-12, ...of.map((one) => one.value));
  return (
    <div class="bars">
      {of.map((one, index) => (
        <div key={index}>
          <div class="line">
            <span>{one.name}</span>
            <span class="number">{one.text ?? one.value}</span>
          </div>
          <div class={bad ? "bar bad" : "bar"} aria-hidden="true">
            <i style={{ width: `${(100 * one.value) / most}%` }} />
          </div>
        </div>
      ))}
    </div>
  );
}
