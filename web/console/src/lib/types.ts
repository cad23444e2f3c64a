// What the admin port answers, as far as the console reads it.
export interface Status {
  version: string;
  ready: boolean;
  draining: boolean;
  running_requests: number;
  listen: string;
  admin: string;
  config: string;
  config_version: number;
  config_problems: string;
  uptime_seconds: number;
  engine: string;
}

export interface Attempt {
  target: string;
  dialect: string;
  end: string;
  answering_model?: string;
  error: string | null;
  code?: string;
  status?: number;
  input_tokens?: number; // where something is known of it
  output_tokens?: number;
  estimated?: boolean;
  us: number;
}

export interface Trace {
  id: string;
  request_id: string;
  trace_id: string;
  started_ms: number;
  key_id: string;
  key: string;
  tenant: string;
  user: string;
  operation: string;
  dialect: string;
  model: string;
  policy: string;
  rule?: string; // of its model, by which the targets were chosen
  targets: string[]; // in the order chosen
  confidence?: number; // of the answer that was judged
  status: number;
  error: string | null;
  code?: string;
  stop?: string;
  stream: boolean;
  cut_by_client: boolean;
  input_tokens: number;
  output_tokens: number;
  cache_read_tokens: number;
  reasoning_tokens: number;
  estimated: boolean;
  cost?: number | string;
  total_us: number;
  first_content_us: number;
  upstream_us: number;
  caller_us: number;
  queued_us: number;
  request_bytes: number;
  answer_bytes: number;
  config_version: number;
  program: string;
  has_contents: boolean;
  stages: { stage: string; ns: number; ended: boolean }[];
  attempts_total: number;
  attempts: Attempt[];
  found: { stage: string; kind: string; action: string; count: number }[];
  contents?: Contents | null;
}

export interface Contents {
  request?: string;
  answer?: { choice: number; item: number; channel: string; text: string }[];
  request_cut?: boolean;
  answer_cut?: boolean;
}

export interface TraceList {
  traces: Trace[];
  next: string | null;
  complete: boolean;
}

export interface Point {
  t: number;
  requests: number;
  errors: number;
  input_tokens: number;
  output_tokens: number;
  cost: number;
  p50_ms: number | null;
  p95_ms: number | null;
  p99_ms: number | null;
  first_token_p50_ms: number | null;
  first_token_p95_ms: number | null;
}

export interface Overview {
  window: string;
  step_seconds: number;
  from: number;
  now: number;
  points: Point[];
  totals: Omit<Point, "t"> & { errors_by_class: Record<string, number>; in_flight: number };
  models: {
    model: string;
    requests: number;
    errors: number;
    input_tokens: number;
    output_tokens: number;
    cost: number;
    p95_ms: number | null;
  }[];
  providers: { provider: string; attempts: number; errors: number }[];
  currency: string;
}

export interface History {
  metric: string;
  type: string;
  step_seconds: number;
  from: number;
  series: { labels: Record<string, string>; values: (number | null)[] }[];
}

export interface Key {
  id: string;
  name: string;
  kind: "application" | "admin" | "admin_read_only";
  state: string;
  tenant: string;
  user: string;
  roles: string[];
  models: string[];
  attributes: Record<string, string>;
  from_config: boolean;
  created?: string | null;
  expires?: string | null;
  last_used?: string | null;
  secrets: { last4: string; created?: string | null; ends?: string | null }[];
}

export interface Model {
  name: string;
  provider: string | null;
  strategy: string | null;
  targets: string[];
}

export interface EngineModel {
  name: string;
  about: string;
  aliases: string[];
  kind: string;
  state: string;
  reason: string | null;
  file: string;
  file_bytes: number;
  fetched_bytes: number;
  fetch_total_bytes: number;
  slots_busy: number;
  slots_total: number;
  waiting: number;
  memory_mib: number;
  tokens_per_second: number;
  tokens_total: number;
  requests_total: number;
  load_ms: number;
  restarts: number;
  context: number;
  licence: string;
  log: string[];
}

// How one member of a provider fares with one of its models.
export interface TargetState {
  target: string;
  state: "closed" | "open" | "trying";
  why: string;
  rest_ms: number;
  in_flight: number;
  usual_ms: number | null;
  quota: { wait_ms: number; waiting: number } | null; // until it has room again, who waits; null = none is kept
  calls: number;
  failures: number;
  opened: number;
}

export interface Waiting {
  target: string;
  limit: number | null; // as known or learnt; null while none has been needed
  under_way: number;
  waiting: number;
  expected_ms: number;
  tenants: { tenant: string; under_way: number; waiting: number }[];
}

export interface Provider {
  name: string;
  kind: string;
  base_url: string;
  zone: string;
  models: { model: string; upstream: string }[];
  members: { name: string; well: boolean | null; targets: TargetState[] }[];
  last_hour: { attempts: number; errors: number; errors_by_class: Record<string, number> };
  state: "ok" | "degraded" | "failing" | "unused";
}

export interface UsageRow {
  day?: string;
  tenant?: string;
  key?: string;
  key_id?: string;
  model?: string;
  provider?: string;
  requests: number;
  failed_requests: number;
  input_tokens: number;
  output_tokens: number;
  cost?: number | string;
  unpriced_requests: number;
  mean_seconds?: number;
  mean_seconds_to_first?: number;
}

export interface Problem {
  line: number;
  column: number;
  message: string;
  severity?: "error" | "warning";
}

export interface Config {
  path: string;
  editable: boolean;
  why_not: string;
  sha256: string;
  version: number;
  text: string;
  problems: (Problem | string)[];
}

export interface Alert {
  id: string;
  rule: string;
  severity: "page" | "ticket" | "info";
  since: number | string;
  ended?: number | string;
  summary: string;
  cause: { kind: string; name: string; share: number; text: string }[];
  advice: string;
  value: number;
  limit: number;
  value_text?: string;
  limit_text?: string;
  links?: { traces?: string };
  silenced_until?: number | string | null;
}

export interface Receiver {
  name: string;
  sent: number;
  failed: number;
  given_up: number;
  dropped: number;
}

export interface Alerts {
  active: Alert[];
  recent: Alert[];
  silences: {
    id: string;
    rule: string;
    labels?: Record<string, string>;
    until: number | string;
    by: string;
    note: string;
  }[];
  rules: { name: string; condition: string; state: "ok" | "pending" | "firing" | "no_data" }[];
  receivers?: Receiver[];
}

export interface TestCase {
  id: string;
  trace: string;
  model: string;
  tenant: string;
  operation: string;
  note?: string; // for full keys
  made_by: string;
  made_at: number | string;
  dialect?: string;
  contents?: Contents | null;
}
