// Lines and stacked areas over time, drawn by uPlot; every chart can be read as a table as well.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { clock } from "../lib/format";
import { useLatest } from "../lib/load";
import { theme } from "./theme";
import { Button, Card, Empty } from "./basics";
import { Table } from "./table";

export interface Series {
  name: string;
  values: (number | null)[];
  color?: number; // 1 to 8, or 0 for the colour of errors
  href?: string;
}

interface ChartProps {
  title: string;
  about?: ComponentChildren;
  times: number[]; // seconds
  series: Series[];
  format: (value: number | null | undefined) => string;
  total?: (values: (number | null)[]) => number | null;
  stacked?: boolean;
  days?: boolean; // a bar for each day of UTC, stacked
  behind?: (from: number, to: number) => string | undefined; // the list of what happened in a stretch of time
  span?: [from: number, to: number]; // what the chart is about, also where nothing is known of it
  height?: number;
  nothing?: ComponentChildren;
}

const css = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const swatch = (series: Series, index: number) =>
  series.color === 0 ? "--bad" : `--series-${series.color ?? (index % 8) + 1}`;

export function ChartCard(props: ChartProps) {
  const [asTable, setAsTable] = useState(false);
  const something = props.series.some((one) => one.values.some((value) => value));
  return (
    <Card
      title={props.title}
      about={props.about}
      flush={asTable && something}
      actions={
        something && (
          <Button
            small
            tone="quiet"
            icon="table"
            label={asTable ? `${props.title} as a chart` : `${props.title} as a table`}
            onClick={() => setAsTable(!asTable)}
          />
        )
      }
    >
      {!something ? (
        <Empty title="Nothing in this time" icon="overview">
          {props.nothing}
        </Empty>
      ) : asTable ? (
        <ChartTable {...props} />
      ) : (
        <Chart {...props} />
      )}
    </Card>
  );
}

const utcDay = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 10);

function ChartTable({ title, times, series, format, days, behind }: ChartProps) {
  const step = times.length > 1 ? Math.min(...times.slice(1, 50).map((time, at) => time - times[at])) : 60;
  const name = (at: number) => (days ? utcDay(times[at]) : clock(times[at]));
  const rows = times
    .map((_, at) => at)
    .filter((at) => series.some((one) => one.values[at]))
    .reverse()
    .slice(0, 200);
  return (
    <Table
      label={title}
      rows={rows}
      id={(at) => String(at)}
      columns={[
        {
          name: "Time",
          nowrap: true,
          show: (at) => (behind ? <a href={behind(times[at], times[at] + step)}>{name(at)}</a> : name(at)),
        },
        ...series.map((one) => ({ name: one.name, right: true, show: (at: number) => format(one.values[at]) })),
      ]}
    />
  );
}

// Sums from the first up; drawn from the last down, so that a bar covers all but the tip of the one behind it.
function stackedUp(series: Series[]): (number | null)[][] {
  const sums: number[] = [];
  return series.map((one) => one.values.map((value, at) => (sums[at] = (sums[at] ?? 0) + (value ?? 0)))).reverse();
}

export function Chart({ title, times, series, format, total, stacked, days, behind, span, height = 190 }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const [at, setAt] = useState<number | null>(null);
  const dark = theme.value.dark;
  const data = useMemo(
    () => [times, ...(stacked || days ? stackedUp(series) : series.map((one) => one.values))] as uPlot.AlignedData,
    [times, series, stacked, days],
  );
  const bounds = useLatest(span);
  const leads = useLatest(behind);
  const shape = series.map((one) => one.name).join("\n");
  useEffect(() => {
    const place = box.current!;
    const made = new uPlot(
      options(place.clientWidth || 300, height, series, { stacked, days, format, setAt, span: bounds, behind: leads }),
      data,
      place,
    );
    plot.current = made;
    const sizes = new ResizeObserver(() => made.setSize({ width: place.clientWidth, height }));
    sizes.observe(place);
    return () => {
      sizes.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [shape, dark, height, stacked]);
  useEffect(() => plot.current?.setData(data), [data]);
  const said = series.map((one) => `${one.name}: ${format((total ?? lastOf)(one.values))}`).join(", ");
  return (
    <>
      <div class="chart" ref={box} role="img" aria-label={`${title}. ${said}`} />
      <div class="legend">
        {at !== null && times[at] !== undefined && (
          <span class="faint number">{days ? utcDay(times[at]) : clock(times[at])}</span>
        )}
        {series.map((one, index) => {
          const value = format(at === null ? (total ?? lastOf)(one.values) : one.values[at]);
          return (
            <span key={one.name}>
              <i style={{ "--swatch": `var(${swatch(one, index)})` }} />
              {one.href ? <a href={one.href}>{one.name}</a> : one.name} <b>{value}</b>
            </span>
          );
        })}
      </div>
    </>
  );
}

const lastOf = (values: (number | null)[]) => values.findLast((value) => value !== null) ?? null;

interface How {
  stacked?: boolean;
  days?: boolean;
  format: (value: number | null | undefined) => string;
  setAt: (at: number | null) => void;
  span: { current: ChartProps["span"] };
  behind: { current: ChartProps["behind"] };
}

function options(width: number, height: number, series: Series[], how: How): uPlot.Options {
  const axis = {
    stroke: css("--ink-faint"),
    grid: { stroke: css("--line"), width: 1 },
    ticks: { show: false },
    font: `11px ${css("--font")}`,
  };
  const lines = series.map((one, index) => line(css(swatch(one, index)), how));
  if (how.stacked || how.days) lines.reverse();
  return {
    width,
    height,
    legend: { show: false },
    padding: [8, 12, 0, 0],
    tzDate: how.days ? (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC") : undefined,
    cursor: {
      y: false,
      points: { show: !how.days, size: 6 },
      drag: { x: !!how.behind.current, y: false, setScale: false },
    },
    scales: {
      x: { range: (_, from, to) => (how.days ? [from - DAY / 2, to + DAY / 2] : (how.span.current ?? [from, to])) },
      y: { range: (_, __, most) => [0, most > 0 ? most * 1.12 : 1] },
    },
    axes: [
      {
        ...axis,
        size: how.days ? 26 : 40,
        grid: { show: false },
        ...(how.days ? { incrs: [DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY], values: "{MMM} {D}" } : { values: TIMES }),
      },
      { ...axis, size: 58, values: (_, ticks) => ticks.map((tick) => how.format(tick)) },
    ],
    series: [{}, ...lines],
    hooks: {
      setCursor: [(plot) => how.setAt(plot.cursor.idx ?? null)],
      setSelect: [
        (plot) => {
          if (plot.select.width < 4) return;
          const at = (place: number) => plot.posToVal(place, "x");
          const to = how.behind.current?.(at(plot.select.left), at(plot.select.left + plot.select.width));
          if (to) location.hash = to;
        },
      ],
    },
  };
}

const DAY = 86_400;
const TIMES: uPlot.Axis.Values = [
  [DAY, "{MMM} {D}", null, null, null, null, null, null, 1],
  [60, "{HH}:{mm}", "\n{MMM} {D}", null, null, null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", null, null, null, null, null, null, 1],
];

function line(color: string, how: How): uPlot.Series {
  if (how.days)
    return {
      stroke: color,
      width: 0,
      fill: color,
      paths: uPlot.paths.bars!({ size: [0.62, 48] }),
      points: { show: false },
    };
  return {
    stroke: color,
    width: 1.4,
    fill: how.stacked ? mixed(color) : undefined,
    points: { show: isAlone, size: 6, fill: color },
    spanGaps: true,
  };
}

// A line needs two points.
const isAlone = (plot: uPlot, at: number) => (plot.data[at] as (number | null)[]).filter((value) => value !== null).length === 1;

// Not see-through: what is stacked above must not tint what is below.
function mixed(color: string): string {
  const [ground, top] = [css("--surface"), color].map((hex) =>
    [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)),
  );
  return `rgb(${ground.map((one, at) => Math.round(one * 0.72 + top[at] * 0.28)).join(" ")})`;
}
