import { colourProperties, stepColour } from './colours.ts';
import type { Diagram, Row } from './diagram.ts';
import {
  ARROW_PX,
  arrowPath,
  BAND_PX,
  CELL_PX,
  hoverText,
  LANE_PX,
  LEFT_CELLS,
  LEFT_PX,
  labelSpan,
  lanesWidth,
  laneX,
  RIGHT_PX,
  ROW_PX,
  sinceText,
  sizeText,
} from './geometry.ts';
import { cut, escapeMarkup, width } from './text.ts';

const TITLE_PX = 46;
const NOTE_PX = 18;
const HEAD_PX = 52;
const MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace";
const SANS = "system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif";
/** Average width of a character of the other texts, generously. */
const SANS_CELL_PX = 7.2;

const STYLE = `svg{${colourProperties('light')}}@media(prefers-color-scheme:dark){svg{${colourProperties('dark')}}}
text{font:12px ${SANS};fill:var(--text)}.m{font:11.5px ${MONO}}.b{font-weight:600}.d{fill:var(--muted)}.s{font:11px ${MONO};fill:var(--muted)}
.t{font:600 17px ${SANS}}.h{font:600 12.5px ${SANS}}.q{font:11px ${SANS};fill:var(--muted)}.bg{fill:var(--ground)}.box{fill:var(--panel);stroke:var(--lane)}
.lane{stroke:var(--lane);stroke-dasharray:2 4}.in{fill:var(--inside);stroke:var(--lane)}.a{stroke:var(--arrow);fill:var(--arrow);stroke-width:1.4}
.dot{fill:var(--arrow)}${['lost', 'refused', 'failed', 'retry', 'fault'].map((name) => `.${name} .a{stroke:var(--${name});fill:var(--${name})}.${name} .m{fill:var(--${name})}.${name} .in{stroke:var(--${name})}.${name} .dot{fill:var(--${name})}`).join('')}
.lost .a{stroke-dasharray:5 3;fill:none}${['f1', 'f5', 'other'].map((name) => `.${name}{fill:var(--${name}ground)}.${name}t{fill:var(--${name});font-weight:600}`).join('')}`;

/** The whole picture as one SVG file: no script, no outside resource; it follows the light or dark setting of its reader. */
export function toSvg(diagram: Diagram): string {
  const lanes = lanesWidth(diagram);
  const wide = LEFT_PX + lanes + RIGHT_PX;
  const headTop = TITLE_PX + NOTE_PX * diagram.notes.length;
  const parts: string[] = [];
  let y = headTop + HEAD_PX + 8;
  for (const section of diagram.sections) {
    parts.push(band(section.step, section.title, y, wide));
    y += BAND_PX;
    for (const row of section.rows) {
      parts.push(drawRow(row, y, diagram));
      y += ROW_PX;
    }
  }
  const height = y + 14;
  const lines = diagram.lanes.map((_, place) => `<path class="lane" d="M${LEFT_PX + laneX(place)} ${headTop + HEAD_PX}V${height - 8}"/>`);
  const notes = diagram.notes.map((note, place) => text(16, TITLE_PX + NOTE_PX * place, 'q', cut(note, Math.floor((wide - 32) / SANS_CELL_PX))));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${wide}" height="${height}" viewBox="0 0 ${wide} ${height}" role="img" aria-label="${escapeMarkup(diagram.title)}">
<style>${STYLE}</style>
<rect class="bg" width="100%" height="100%"/>
${text(16, 28, 't', cut(diagram.title, Math.floor((wide - 32) / 10.5)))}
${[...notes, ...lines, ...parts, ...diagram.lanes.map((lane, place) => head(lane.title, lane.subtitle, LEFT_PX + laneX(place), headTop))].join('\n')}
</svg>
`;
}

function text(x: number, y: number, name: string, content: string, anchor?: 'middle' | 'end'): string {
  return `<text x="${x}" y="${y}" class="${name}"${anchor === undefined ? '' : ` text-anchor="${anchor}"`}>${escapeMarkup(content)}</text>`;
}

function head(title: string, subtitle: string, x: number, top: number): string {
  const wide = LANE_PX - 16;
  const cells = Math.floor((wide - 12) / SANS_CELL_PX);
  const both = subtitle === '' ? title : `${title} · ${subtitle}`;
  return `<g><title>${escapeMarkup(both)}</title><rect class="box" x="${x - wide / 2}" y="${top}" width="${wide}" height="44" rx="8"/>${text(x, top + (subtitle === '' ? 27 : 19), 'h', cut(title, cells), 'middle')}${subtitle === '' ? '' : text(x, top + 35, 'q', cut(subtitle, cells), 'middle')}</g>`;
}

function band(step: string | undefined, title: string, y: number, wide: number): string {
  const colour = stepColour(step);
  const label = step === undefined ? title : `${step}  ${title}`;
  return `<rect class="${colour}" x="8" y="${y + 4}" width="${wide - 16}" height="${BAND_PX - 8}" rx="5"/>${text(16, y + 19, `${colour}t`, cut(label, Math.floor((wide - 40) / SANS_CELL_PX)))}`;
}

function drawRow(row: Row, y: number, diagram: Diagram): string {
  const { from, to, trouble, device, bytes } = row;
  const span = labelSpan(row, diagram.lanes.length);
  const several = diagram.devices.length > 1 && device !== undefined;
  const gutter =
    text(LEFT_PX - 10, y + (several ? 17 : ARROW_PX - 4), 's', cut(sinceText(row.sinceMs), LEFT_CELLS), 'end') +
    (several ? text(LEFT_PX - 10, y + 32, 's', cut(`device ${device}`, LEFT_CELLS), 'end') : '');
  const size = text(LEFT_PX + lanesWidth(diagram) + RIGHT_PX - 14, y + ARROW_PX - 4, 's', sizeText(bytes), 'end');
  const drawn = from === to ? drawInside(row, span, y) : drawArrow(row, span, y);
  return `<g${trouble === undefined ? '' : ` class="${trouble}"`}><title>${escapeMarkup(hoverText(row, diagram))}</title>${gutter}${size}${drawn}</g>`;
}

function drawArrow(row: Row, span: ReturnType<typeof labelSpan>, y: number): string {
  const path = `<g transform="translate(${LEFT_PX} ${y})"><path class="a" d="${arrowPath(row.from, row.to, row.trouble === 'lost')}"/></g>`;
  return path + label(row, LEFT_PX + span.left + span.width / 2, y + ARROW_PX - 10, span.width, 'middle');
}

function drawInside(row: Row, span: ReturnType<typeof labelSpan>, y: number): string {
  const wide = Math.min(span.width, (width(labelText(row)) + 2) * CELL_PX);
  const x = LEFT_PX + (span.align === 'left' ? span.left : span.left + span.width - wide);
  const dot = `<circle class="dot" cx="${LEFT_PX + laneX(row.from)}" cy="${y + ROW_PX / 2}" r="3.5"/>`;
  const box = `<rect class="in" x="${x}" y="${y + 8}" width="${wide}" height="24" rx="6"/>`;
  return dot + box + label(row, x + CELL_PX, y + 24, wide - 2 * CELL_PX);
}

function labelText({ message, detail }: Row): string {
  return detail === '' ? message : `${message} ${detail}`;
}

function label(row: Row, x: number, y: number, room: number, anchor?: 'middle'): string {
  // Half a cell more than fits exactly: the measure of a cell is that of the widest font.
  const shown = cut(labelText(row), Math.floor(room / CELL_PX + 0.01));
  const [name, rest] = shown.length > row.message.length ? [row.message, shown.slice(row.message.length)] : [shown, ''];
  const end = anchor === undefined ? '' : ` text-anchor="${anchor}"`;
  return `<text x="${x}" y="${y}" class="m"${end} xml:space="preserve"><tspan class="b">${escapeMarkup(name)}</tspan>${rest === '' ? '' : `<tspan class="d">${escapeMarkup(rest)}</tspan>`}</text>`;
}
