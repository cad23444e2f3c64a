// Tables: numbers to the right, names that link to what is behind them; on a phone a card for each row.
import type { ComponentChildren } from "preact";

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
}

export function Table<Row>({ label, rows, columns, id, rowClass, kind: look }: TableProps<Row>) {
  const shown = columns.filter((column): column is Column<Row> => !!column);
  const kind = (column: Column<Row>) => (column.right ? "right" : column.nowrap ? "nowrap" : undefined);
  return (
    <div class={`table cards ${look ?? ""}`}>
      <table aria-label={label}>
        <thead>
          <tr>
            {shown.map((column) => (
              <th key={column.name} scope="col" class={kind(column)}>
                {column.name || <span class="unseen">Actions</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={id(row)} class={rowClass?.(row)}>
              {shown.map((column) => {
                const value = column.show(row);
                return (
                  <td
                    key={column.name}
                    class={kind(column)}
                    data-label={column.name}
                    data-empty={value === "" || value == null ? "" : undefined}
                  >
                    {value}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
