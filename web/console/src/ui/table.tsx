// Tables: numbers to the right, names that link to what is behind them; on a phone a card for each row.
import { Component, type ComponentChildren } from "preact";

export interface Column<Row> {
  name: string;
  right?: boolean;
  nowrap?: boolean;
  show: (row: Row) => ComponentChildren;
}

interface TableProps<Row> {
  label: string;
  rows: Row[];
  columns: (Column<Row> | false | null | undefined)[];
  id: (row: Row) => string;
  rowClass?: (row: Row) => string | undefined;
  kind?: string;
  still?: boolean; // cells show nothing but what is in their row: a row that is the same is not drawn again
}

const kindOf = (column: Column<never>) => (column.right ? "right" : column.nowrap ? "nowrap" : undefined);

export function Table<Row>({ label, rows, columns, id, rowClass, kind: look, still }: TableProps<Row>) {
  const shown = columns.filter((column): column is Column<Row> => !!column);
  return (
    <div class={`table cards ${look ?? ""}`}>
      <table aria-label={label}>
        <thead>
          <tr>
            {shown.map((column) => (
              <th key={column.name} scope="col" class={kindOf(column)}>
                {column.name || <span class="unseen">Actions</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Line key={id(row)} row={row} columns={shown} look={rowClass?.(row)} still={still} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface LineProps<Row> {
  row: Row;
  columns: Column<Row>[];
  look?: string;
  still?: boolean;
}

class Line<Row> extends Component<LineProps<Row>> {
  override shouldComponentUpdate(next: LineProps<Row>) {
    return !next.still || next.row !== this.props.row || next.look !== this.props.look;
  }

  override render({ row, columns, look }: LineProps<Row>) {
    return (
      <tr class={look}>
        {columns.map((column) => {
          const value = column.show(row);
          return (
            <td
              key={column.name}
              class={kindOf(column)}
              data-label={column.name}
              data-empty={value === "" || value == null ? "" : undefined}
            >
              {value}
            </td>
          );
        })}
      </tr>
    );
  }
}
