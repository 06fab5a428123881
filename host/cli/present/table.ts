/**
 * Aligned tables that leave out their least important columns where the terminal is narrow.
 *
 * @module
 */
import type { Paint, StyleName } from "./style.ts";

/** One column of a table whose rows are `Row`s. */
export interface Column<Row> {
  /** What the column holds. */
  name: string;
  /** Its unit, in a second line of the header. */
  unit?: string;
  /** Columns with a higher number are left out first; 0 always stays. */
  rank: number;
  /** Where its text stands; numbers go right. */
  align: "left" | "right";
  /** Its text in a row. */
  text: (row: Row) => string;
  /** The style of its text in a row. */
  style?: (row: Row) => StyleName | undefined;
}

const GAP = "  ";

/** The table's lines: header, units (where a column has one), rows. */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
  paint: Paint,
): string[] {
  const kept = fitting(columns, rows, width);
  const line = (
    cell: (column: Column<Row>) => string,
    style: (c: Column<Row>) => StyleName | undefined,
  ) =>
    kept.map(({ column, width }) => {
      const text = cell(column);
      const space = " ".repeat(width - text.length);
      const name = style(column);
      const painted = name === undefined || text === "" ? text : paint(name, text);
      return column.align === "left" ? painted + space : space + painted;
    }).join(GAP).trimEnd();

  const lines = [line((column) => column.name, () => "bold")];
  if (kept.some(({ column }) => column.unit !== undefined)) {
    lines.push(line((column) => column.unit ?? "", () => "dim"));
  }
  for (const row of rows) {
    lines.push(line((column) => column.text(row), (column) => column.style?.(row)));
  }
  return lines;
}

/** The columns that fit into `width`, the most important first to stay. */
function fitting<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number) {
  const sized = columns.map((column) => ({
    column,
    width: Math.max(
      column.name.length,
      column.unit?.length ?? 0,
      ...rows.map((row) => column.text(row).length),
    ),
  }));
  for (;;) {
    const total = sized.reduce((sum, { width }) => sum + width + GAP.length, -GAP.length);
    const last = Math.max(...sized.map(({ column }) => column.rank));
    if (total <= width || last === 0) return sized;
    sized.splice(sized.findIndex(({ column }) => column.rank === last), 1);
  }
}
