// The ways to reach each provider, and how each of them is now: replicas, keys, their targets.
import { compact, milliseconds, words } from "../lib/format";
import type { Provider, TargetState } from "../lib/types";
import { Badge, Card, type Tone } from "../ui/basics";
import { Table } from "../ui/table";

interface Row {
  id: string;
  name: string;
  member: string;
  well: boolean | null;
  target?: TargetState;
}

const TONES: Record<TargetState["state"], Tone> = { closed: "good", open: "bad", trying: "warn" };
const WORDS: Record<TargetState["state"], string> = { closed: "asked", open: "left alone", trying: "tried" };

// Of a provider with one member only what was asked of it.
function rowsOf(provider: Provider): Row[] {
  return provider.members.flatMap((member): Row[] => {
    const row = { member: member.name, well: member.well };
    if (member.targets.length > 0) {
      return member.targets.map((target) => ({
        ...row,
        id: `${target.target} ${member.name}`,
        name: target.target,
        target,
      }));
    }
    if (!member.name && member.well === null) return [];
    return [{ ...row, id: `${provider.name} ${member.name}`, name: provider.name }];
  });
}

export function Members({ providers }: { providers: Provider[] }) {
  const rows = providers.flatMap(rowsOf);
  if (rows.length === 0) return null;
  return (
    <Card title="Replicas and keys" about="How each of them is now; counts are those since the start." flush>
      <Table
        label="Replicas and keys"
        rows={rows}
        id={(row) => row.id}
        columns={[
          { name: "Target", show: (row) => row.name },
          { name: "Replica, key", show: (row) => row.member },
          { name: "State", show: (row) => <State row={row} /> },
          { name: "Busy", right: true, show: (row) => row.target && compact(row.target.in_flight) },
          { name: "Usual answer", right: true, show: (row) => row.target && milliseconds(row.target.usual_ms) },
          { name: "Calls", right: true, show: (row) => row.target && compact(row.target.calls) },
          { name: "Failed", right: true, show: (row) => row.target && compact(row.target.failures) },
          { name: "Times left alone", right: true, show: (row) => row.target && compact(row.target.opened) },
        ]}
      />
    </Card>
  );
}

function Quota({ of: { wait_ms, waiting } }: { of: NonNullable<TargetState["quota"]> }) {
  if (wait_ms === 0 && waiting === 0) return null;
  return (
    <>
      <Badge tone="warn">quota used up</Badge>
      {wait_ms > 0 && <small class="soft number">{milliseconds(wait_ms)} to go</small>}
      {waiting > 0 && <small class="soft number">{compact(waiting)} waiting</small>}
    </>
  );
}

function State({ row: { target, well } }: { row: Row }) {
  return (
    <span class="row tight">
      {target ? <Badge tone={TONES[target.state]}>{WORDS[target.state]}</Badge> : <Badge>unused</Badge>}
      {well !== null && <Badge tone={well ? "good" : "bad"}>probe: {well ? "well" : "not well"}</Badge>}
      {target?.why && <small class="soft">{words(target.why)}</small>}
      {!!target?.rest_ms && <small class="soft number">{milliseconds(target.rest_ms)} to go</small>}
      {target?.quota && <Quota of={target.quota} />}
    </span>
  );
}
