import { useState } from "preact/hooks";
import { call, mayChange } from "../lib/api";
import { ago, full } from "../lib/format";
import { useLoad } from "../lib/load";
import { link, place, setWords } from "../lib/router";
import { has } from "../lib/session";
import type { Key } from "../lib/types";
import { Badge, Button, Card, Choice, CopyButton, Empty, Note, Page, Shown, type Tone } from "../ui/basics";
import { Dialog, Select, Text } from "../ui/fields";
import { Table } from "../ui/table";
import { say } from "../ui/toasts";

type Act =
  { do: "create" } | { do: "rotate" | "expire" | "revoke"; key: Key } | { do: "show"; name: string; secret: string };

export function KeysPage() {
  const keys = useLoad<{ keys: Key[] }>("/api/keys", 20);
  const [act, setAct] = useState<Act | null>(null);
  const state = place.value.words.state === "all" ? "all" : "live";
  const done = (next: Act | null = null) => {
    setAct(next);
    keys.reload();
  };
  return (
    <Page
      title="Keys"
      about="Who may call: applications at the data port, operators here. A secret is shown once, when it is made."
      actions={
        <>
          <Choice
            label="Which keys"
            value={state}
            of={[
              ["live", "That work"],
              ["all", "All"],
            ]}
            set={(value) => setWords({ state: value === "all" ? "all" : undefined })}
          />
          {mayChange() && (
            <Button tone="main" icon="plus" onClick={() => setAct({ do: "create" })}>
              Create a key
            </Button>
          )}
        </>
      }
    >
      <Card flush>
        <Shown of={keys}>
          {(data) => (
            <KeyTable keys={data.keys.filter((key) => state === "all" || key.state === "live")} act={setAct} />
          )}
        </Shown>
      </Card>
      {act?.do === "create" && (
        <CreateDialog close={() => setAct(null)} made={(name, secret) => done({ do: "show", name, secret })} />
      )}
      {act?.do === "rotate" && (
        <RotateDialog
          of={act.key}
          close={() => setAct(null)}
          made={(name, secret) => done({ do: "show", name, secret })}
        />
      )}
      {act?.do === "expire" && <ExpireDialog of={act.key} close={() => setAct(null)} done={done} />}
      {act?.do === "revoke" && <RevokeDialog of={act.key} close={() => setAct(null)} done={done} />}
      {act?.do === "show" && <SecretDialog {...act} close={() => setAct(null)} />}
    </Page>
  );
}

const TONES: Record<string, Tone> = { live: "good", expired: "warn", revoked: "bad" };
const KINDS: Record<Key["kind"], string> = {
  application: "application",
  admin: "admin",
  admin_read_only: "admin, read-only",
};

function KeyTable({ keys, act }: { keys: Key[]; act: (act: Act) => void }) {
  if (!keys.length)
    return (
      <Empty title="There is no key" icon="keys">
        Applications need one to call. Create the first here, or with <code>causeway keys create</code>.
      </Empty>
    );
  return (
    <Table
      label="Keys"
      rows={keys}
      id={(key) => key.id}
      columns={[
        {
          name: "Name",
          show: (key) => (
            <div>
              {has("traces") ? <a href={link("traces", { key: key.id })}>{key.name}</a> : <b>{key.name}</b>}
              <div>
                <small class="faint mono">{key.secrets.map((secret) => `…${secret.last4}`).join(" ")}</small>
              </div>
            </div>
          ),
        },
        {
          name: "State",
          show: (key) => (
            <span class="row tight">
              <Badge tone={TONES[key.state]}>{key.state}</Badge>
              {key.from_config && <Badge>from the file</Badge>}
            </span>
          ),
        },
        { name: "Kind", show: (key) => KINDS[key.kind] ?? key.kind },
        {
          name: "Tenant",
          show: (key) => (
            <div>
              {has("usage") ? <a href={link("usage", { by: "key", tenant: key.tenant })}>{key.tenant}</a> : key.tenant}
              {key.user && (
                <div>
                  <small class="faint">{key.user}</small>
                </div>
              )}
            </div>
          ),
        },
        {
          name: "Models",
          show: (key) =>
            key.kind === "application" ? (
              <span class="row tight">
                {key.models.map((name) => (
                  <Badge key={name} wrap>
                    {name}
                  </Badge>
                ))}
                {key.roles.map((name) => (
                  <Badge key={`role ${name}`} tone="info" wrap>
                    role {name}
                  </Badge>
                ))}
              </span>
            ) : (
              ""
            ),
        },
        {
          name: "Last used",
          nowrap: true,
          show: (key) =>
            key.last_used ? (
              <span title={full(key.last_used)}>{ago(key.last_used)}</span>
            ) : (
              <span class="faint">never</span>
            ),
        },
        {
          name: "Expires",
          nowrap: true,
          show: (key) =>
            key.expires ? <span title={full(key.expires)}>{ago(key.expires)}</span> : <span class="faint">never</span>,
        },
        mayChange() && { name: "", right: true, show: (key: Key) => <Actions of={key} act={act} /> },
      ]}
    />
  );
}

// Keys of the configuration are changed there; what has ended stays as it is.
function Actions({ of, act }: { of: Key; act: (act: Act) => void }) {
  if (of.from_config || of.state === "revoked") return null;
  return (
    <span class="row tight end one">
      <Button small onClick={() => act({ do: "rotate", key: of })} aria-label={`Rotate ${of.name}`}>
        Rotate
      </Button>
      <Button small onClick={() => act({ do: "expire", key: of })} aria-label={`Expiry of ${of.name}`}>
        Expiry
      </Button>
      <Button small tone="bad" onClick={() => act({ do: "revoke", key: of })} aria-label={`Revoke ${of.name}`}>
        Revoke
      </Button>
    </span>
  );
}

const list = (text: string) => text.split(/[\s,]+/).filter(Boolean);

function CreateDialog({ close, made }: { close: () => void; made: (name: string, secret: string) => void }) {
  const [key, setKey] = useState({
    name: "",
    kind: "application" as Key["kind"],
    tenant: "",
    user: "",
    roles: "",
    models: "*",
    expires_in: "",
  });
  const set = (name: keyof typeof key) => (value: string) => setKey({ ...key, [name]: value });
  const submit = async () => {
    const body: Record<string, unknown> = { name: key.name.trim(), kind: key.kind };
    if (key.kind === "application") Object.assign(body, { roles: list(key.roles), models: list(key.models) });
    for (const name of ["tenant", "user", "expires_in"] as const) if (key[name].trim()) body[name] = key[name].trim();
    const answer = await call<{ key: string; name: string }>("POST", "/api/keys", body);
    made(key.name, answer.key);
  };
  return (
    <Dialog title="Create a key" close={close} submit={submit} word="Create">
      <div class="fields">
        <Text label="Name" value={key.name} set={set("name")} required autofocus placeholder="shop" />
        <Select label="Kind" value={key.kind} of={Object.entries(KINDS) as [Key["kind"], string][]} set={set("kind")} />
        {key.kind === "application" && (
          <>
            <Text label="Models" value={key.models} set={set("models")} hint="A star stands for any text." />
            <Text label="Roles" value={key.roles} set={set("roles")} placeholder="none" />
          </>
        )}
        <Text label="Tenant" value={key.tenant} set={set("tenant")} placeholder="default" />
        <Text label="User" value={key.user} set={set("user")} placeholder="none" />
        <Text
          label="Expires in"
          value={key.expires_in}
          set={set("expires_in")}
          placeholder="never"
          hint="90d, 12h, …"
        />
      </div>
    </Dialog>
  );
}

function RotateDialog({
  of,
  close,
  made,
}: {
  of: Key;
  close: () => void;
  made: (name: string, secret: string) => void;
}) {
  const [grace, setGrace] = useState("1h");
  const submit = async () => {
    const answer = await call<{ key: string }>(
      "POST",
      `/api/keys/${encodeURIComponent(of.id)}/rotate`,
      grace.trim() ? { grace: grace.trim() } : {},
    );
    made(of.name, answer.key);
  };
  return (
    <Dialog title={`Rotate ${of.name}`} close={close} submit={submit} word="Make a new secret">
      <p class="soft">
        The key gets a new secret. The old one goes on working for a while, so that applications can change over.
      </p>
      <Text label="The old secret works for another" value={grace} set={setGrace} autofocus hint="1h, 7d, 0s, …" />
    </Dialog>
  );
}

function ExpireDialog({ of, close, done }: { of: Key; close: () => void; done: () => void }) {
  const [after, setAfter] = useState("");
  const submit = async () => {
    await call("PATCH", `/api/keys/${encodeURIComponent(of.id)}`, { expires_in: after.trim() || null });
    say(after.trim() ? `${of.name} expires in ${after.trim()}` : `${of.name} does not expire`);
    done();
  };
  return (
    <Dialog title={`Expiry of ${of.name}`} close={close} submit={submit}>
      <Text
        label="Expires in"
        value={after}
        set={setAfter}
        autofocus
        placeholder="never"
        hint="30d, 12h, … Empty: it does not expire."
      />
    </Dialog>
  );
}

function RevokeDialog({ of, close, done }: { of: Key; close: () => void; done: () => void }) {
  const submit = async () => {
    await call("DELETE", `/api/keys/${encodeURIComponent(of.id)}`);
    say(`${of.name} is revoked`);
    done();
  };
  return (
    <Dialog title={`Revoke ${of.name}?`} close={close} submit={submit} word="Revoke" bad>
      <p>Requests with this key are refused from now on. This cannot be undone.</p>
      {of.last_used && <p class="soft">It was last used {ago(of.last_used)}.</p>}
    </Dialog>
  );
}

function SecretDialog({ name, secret, close }: { name: string; secret: string; close: () => void }) {
  return (
    <Dialog title={`The secret of ${name}`} close={close}>
      <Note tone="warn">It is shown only now. Causeway keeps no copy of it.</Note>
      <pre class="code" tabIndex={0}>
        {secret}
      </pre>
      <div class="row">
        <CopyButton text={secret} label="Copy the key" />
      </div>
    </Dialog>
  );
}
