/** Rows of a CSV text (RFC 4180): cells may be in quotes, and hold commas, line ends and doubled quotes then. @throws Error with the number of the row */
export function readCsv(text: string): readonly (readonly string[])[] {
  const rows: string[][] = [];
  let row: string[] = [];
  // One cell and what ends it: a comma, a line end, or the end of the text.
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  while (cell.lastIndex < text.length) {
    const found = cell.exec(text);
    if (found === null) throw new Error(`row ${rows.length + 1} has a quote in the wrong place`);
    const [, quoted, plain = '', end] = found;
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ',' && cell.lastIndex < text.length) continue;
    if (end === ',') row.push('');
    rows.push(row);
    row = [];
  }
  return rows;
}

/** Records by the names in the first row, with what `csvRow` put before a formula taken away: a password comes back as it was. @throws Error when a column of `needed` is missing, or a row has another length */
export function readRecords(text: string, needed: readonly string[]): readonly Readonly<Record<string, string>>[] {
  const [head = [], ...rows] = readCsv(text);
  for (const name of needed) if (!head.includes(name)) throw new Error(`there is no column ${name}; the first row is: ${head.join(',')}`);
  return rows.map((row, index) => {
    if (row.length !== head.length) throw new Error(`row ${index + 2} has ${row.length} cells, the first one has ${head.length}`);
    return Object.fromEntries(head.map((name, at) => [name, (row[at] as string).replace(/^'(?='*[=+\-@\t\r])/, '')]));
  });
}

/** One row. A cell that a spreadsheet would take for a formula is written as text: names come from people. */
export function csvRow(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(',')}\n`;
}

function csvCell(text: string): string {
  const safe = /^'*[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
