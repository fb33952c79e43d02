import type { Diagram, Row } from './diagram.ts';
import { cut } from './text.ts';

/** Longest label: Mermaid does not cut. */
const LABEL_CELLS = 80;

/** The picture as a Mermaid sequence diagram, for documents that draw it themselves. */
export function toMermaid(diagram: Diagram): string {
  const names = diagram.lanes.map((_, place) => `p${place}`);
  const lines = ['sequenceDiagram', ...diagram.notes.map((note) => `  %% ${note.replaceAll('%', '')}`)];
  for (const [place, { title, subtitle }] of diagram.lanes.entries()) {
    lines.push(`  participant ${names[place]} as ${safe(title)}${subtitle === '' ? '' : `<br/>${safe(subtitle)}`}`);
  }
  const [first, last] = [names[0], names.at(-1)];
  for (const { step, title, rows } of diagram.sections) {
    const over = first === last ? first : `${first},${last}`;
    if (over !== undefined) lines.push(`  Note over ${over}: ${safe(step === undefined ? title : `${step} ${title}`)}`);
    for (const row of rows) lines.push(`  ${names[row.from]}${arrow(row)}${names[row.to]}: ${safe(label(row))}`);
  }
  return `${lines.join('\n')}\n`;
}

function arrow({ trouble }: Row): string {
  return trouble === 'lost' ? '--x' : '->>';
}

function label({ message, detail, trouble }: Row): string {
  const text = detail === '' ? message : `${message} ${detail}`;
  return trouble === undefined ? text : `${trouble}! ${text}`;
}

/** Everything but plain letters, digits and marks without a meaning in Mermaid goes as a character code. */
function safe(text: string): string {
  return cut(text, LABEL_CELLS).replaceAll(/[^\p{L}\p{N} .,_/@()!?…→·-]/gu, (character) => `#${character.codePointAt(0)};`);
}
