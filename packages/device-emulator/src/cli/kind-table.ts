import type { KindFigures } from '../run/kind-figures.ts';

/** One column: its two lines of heading, and what stands in it. */
interface Column {
  readonly heading: readonly [string, string];
  readonly cell: (figures: KindFigures) => string;
}

const COLUMNS: readonly Column[] = [
  { heading: ['', 'activated'], cell: ({ activated, devices }) => `${activated} of ${devices}` },
  { heading: ['pushed', 'through'], cell: ({ pushesThrough }) => String(pushesThrough) },
  { heading: ['commands', 'done'], cell: ({ commandsDone, commandsSent }) => `${commandsDone} of ${commandsSent}` },
  { heading: ['of these', 'no effect'], cell: ({ withoutEffect }) => String(withoutEffect) },
  { heading: ['refused', 'by UEM'], cell: ({ refusedByUem }) => String(refusedByUem) },
  { heading: ['refused', 'by devices'], cell: ({ refusedByDevice }) => String(refusedByDevice) },
  {
    heading: ['of these as', 'documented'],
    cell: ({ refusedAsDocumented, refusedByUem, refusedByDevice }) => `${refusedAsDocumented} of ${refusedByUem + refusedByDevice}`,
  },
  { heading: ['updates', 'applied'], cell: ({ updatesDone }) => String(updatesDone) },
];
const COLUMN_WIDTH = 13;

/** Kinds of device with what became of each, as lines of text. */
export function kindTable(kinds: ReadonlyMap<string, KindFigures>): readonly string[] {
  const width = Math.max(...[...kinds.keys()].map(({ length }) => length));
  const line = (name: string, cells: readonly string[]): string => `  ${name.padEnd(width)}${cells.map((cell) => cell.padStart(COLUMN_WIDTH)).join('')}`;
  return [
    line(
      '',
      COLUMNS.map(({ heading }) => heading[0]),
    ),
    line(
      'kind',
      COLUMNS.map(({ heading }) => heading[1]),
    ),
    ...[...kinds].map(([kind, figures]) =>
      line(
        kind,
        COLUMNS.map(({ cell }) => cell(figures)),
      ),
    ),
  ];
}
