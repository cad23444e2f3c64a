// Targets under a policy with `overload`: how much each has to do, and which tenants wait for it.
import { compact, milliseconds } from "../lib/format";
import { useLoad } from "../lib/load";
import { link } from "../lib/router";
import { has } from "../lib/session";
import type { Waiting as Target } from "../lib/types";
import { Badge, Card } from "../ui/basics";
import { Table } from "../ui/table";

interface Row {
  id: string;
  target: Target;
  tenant?: Target["tenants"][number];
}

const rowsOf = (target: Target): Row[] => [
  { id: target.target, target },
  ...target.tenants.map((tenant) => ({ id: `${target.target} ${tenant.tenant}`, target, tenant })),
];

export function Waiting() {
  const overload = useLoad<{ targets: Target[] }>("/api/overload", 5);
  const targets = overload.data?.targets ?? [];
  if (targets.length === 0) return null;
  return (
    <Card title="Waiting for targets" about="Requests under policies with overload, by target and tenant, now." flush>
      <Table
        label="Waiting for targets"
        rows={targets.flatMap(rowsOf)}
        id={(row) => row.id}
        columns={[
          {
            name: "Target",
            show: ({ target, tenant }) =>
              !tenant && (
                <a href={has("traces") ? link("traces", { target: target.target }) : undefined}>{target.target}</a>
              ),
          },
          { name: "Tenant", show: ({ tenant }) => tenant && (tenant.tenant || "none") },
          {
            name: "At once",
            right: true,
            show: ({ target, tenant }) => !tenant && (target.limit === null ? "no limit" : compact(target.limit)),
          },
          { name: "Under way", right: true, show: ({ target, tenant }) => compact((tenant ?? target).under_way) },
          {
            name: "Waiting",
            right: true,
            show: ({ target, tenant }) => {
              const waiting = (tenant ?? target).waiting;
              return waiting > 0 && !tenant ? <Badge tone="warn">{compact(waiting)}</Badge> : compact(waiting);
            },
          },
          {
            name: "Turn in about",
            right: true,
            // Nobody knows before the first of them has ended.
            show: ({ target, tenant }) =>
              !tenant && (target.waiting > 0 && !target.expected_ms ? "–" : milliseconds(target.expected_ms)),
          },
        ]}
      />
    </Card>
  );
}
