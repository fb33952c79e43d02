import { createHash } from 'node:crypto';
import { stepColour } from './colours.ts';
import type { Diagram, Row, Section } from './diagram.ts';
import { flowOf, stepTitle } from './flow-steps.ts';
import { arrowPath, hoverText, laneX, ROW_PX, sinceText, sizeText } from './geometry.ts';
import { PAGE_SCRIPT } from './page-script.ts';
import { pageStyle } from './page-style.ts';
import { escapeMarkup as e } from './text.ts';

/** Messages that a browser lays out together once they come into view. */
const BLOCK_ROWS = 60;

/**
 * The picture as one HTML file without outside resources. Its policy allows the one style and the one script that are in it, by hash, and nothing else; what
 * comes from the trace is text in every place. The decoded message is in a `details` element, so it opens without the script, too.
 */
export function toPage(diagram: Diagram): string {
  const style = pageStyle(diagram);
  const policy = `default-src 'none'; style-src '${sourceHash(style)}'; script-src '${sourceHash(PAGE_SCRIPT)}'; base-uri 'none'; form-action 'none'`;
  const parts: string[] = [
    `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width">
<title>${e(diagram.title)}</title>
<style>${style}</style>
</head>
<body>
${sprite(diagram)}
<header>
<h1>${e(diagram.title)}</h1>
<p class="facts">${e(facts(diagram))}</p>
${notes(diagram)}${tools(diagram)}
<ul class="legend" aria-label="Colours"><li class="k-lost"><i></i>lost, refused, failed</li><li class="k-retry"><i></i>failed and tried again</li><li class="k-fault"><i></i>caused on purpose</li><li>click a row for the decoded message · j, k move · / searches</li></ul>
</header>
<main>
<div class="heads">${diagram.lanes.map(({ title, subtitle }) => `<div class="head" title="${e([title, subtitle].filter((part) => part !== '').join(' · '))}"><b>${e(title)}</b><span>${e(subtitle)}</span></div>`).join('')}</div>
<div class="lanes${diagram.devices.length > 1 ? ' multi' : ''}">
`,
  ];
  for (const block of blocks(diagram.sections)) parts.push(`<div class="block">${block.map((section) => drawSection(section, diagram)).join('')}</div>\n`);
  parts.push(`</div>
</main>
<footer>Written by device-emulator diagram. Times are seconds since the first message; the clocks are those of who wrote the trace. Secrets are left out when a trace is written.</footer>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`);
  return parts.join('');
}

function sourceHash(content: string): string {
  return `sha256-${createHash('sha256').update(content).digest('base64')}`;
}

/** Each arrow once; rows refer to it. */
function sprite({ sections }: Diagram): string {
  const drawn = new Map<string, string>();
  for (const row of sections.flatMap(({ rows }) => rows)) {
    const id = artOf(row);
    if (drawn.has(id)) continue;
    const { from, to, trouble } = row;
    const art = from === to ? `<circle cx="${laneX(from)}" cy="${ROW_PX / 2}" r="3.5"/>` : `<path d="${arrowPath(from, to, trouble === 'lost')}"/>`;
    drawn.set(id, `<g id="${id}">${art}</g>`);
  }
  return `<svg class="sprite" aria-hidden="true"><defs>${[...drawn.values()].join('')}</defs></svg>`;
}

function artOf({ from, to, trouble }: Row): string {
  return `${trouble === 'lost' ? 'lost' : 'arrow'}-${from}-${to}`;
}

function facts({ messages, devices, sections }: Diagram): string {
  const rows = sections.flatMap((section) => section.rows);
  const [first, last] = [rows[0], rows.at(-1)];
  const words = [`${messages.toLocaleString('en-US')} messages and steps`];
  if (devices.length > 1) words.push(`${devices.length} devices`);
  if (first !== undefined && last !== undefined)
    words.push(`${first.time.replace('T', ' ').replace('Z', ' UTC')}, lasting ${sinceText(last.sinceMs).slice(1)} s`);
  const troubles = rows.filter(({ trouble }) => trouble !== undefined).length;
  if (troubles > 0) words.push(`${troubles} with trouble`);
  return words.join(' · ');
}

function notes({ notes: all }: Diagram): string {
  return all.length === 0 ? '' : `<ul class="notes" role="note">${all.map((note) => `<li>${e(note)}</li>`).join('')}</ul>\n`;
}

function tools({ sections, devices }: Diagram): string {
  const steps = [...new Set(sections.flatMap(({ step }) => (step === undefined ? [] : [step, flowOf(step)])))].sort();
  const option = (value: string, text: string): string => `<option value="${e(value)}">${e(text)}</option>`;
  const stepOptions = steps.map((step) => option(step, `${step} ${stepTitle(step)}`));
  const device =
    devices.length < 2
      ? ''
      : `<label>Device <select id="device">${option('', 'all')}${devices.map((one) => option(String(one), String(one))).join('')}</select></label>`;
  return `<div class="tools" hidden>
<label>Step <select id="step">${option('', 'all')}${stepOptions.join('')}</select></label>${device}
<label>Search <input id="search" type="search" autocomplete="off" spellcheck="false"></label>
<label><input id="trouble" type="checkbox"> only trouble</label>
<button id="unfold" type="button" aria-pressed="false">Unfold all</button>
<button id="theme" type="button">Light or dark</button>
<span id="count" class="count" role="status"></span>
</div>`;
}

function* blocks(sections: readonly Section[]): Generator<readonly Section[]> {
  let block: Section[] = [];
  let rows = 0;
  for (const section of sections) {
    for (let at = 0; at < section.rows.length; at += BLOCK_ROWS) {
      const part = { ...section, title: at === 0 ? section.title : `${section.title} (continued)`, rows: section.rows.slice(at, at + BLOCK_ROWS) };
      block.push(part);
      rows += part.rows.length;
      if (rows < BLOCK_ROWS) continue;
      yield block;
      block = [];
      rows = 0;
    }
  }
  if (block.length > 0) yield block;
}

function drawSection({ step, title, rows }: Section, diagram: Diagram): string {
  return `<section><h2 class="${stepColour(step)}">${step === undefined ? '' : `<b>${e(step)}</b>`}<span>${e(title)}</span></h2>${rows.map((row) => drawRow(row, diagram)).join('')}</section>`;
}

function drawRow(row: Row, diagram: Diagram): string {
  const { number, step, device, trouble, from, to, message, detail } = row;
  const data = [
    step === undefined ? '' : ` data-s="${e(step)}"`,
    device === undefined ? '' : ` data-d="${device}"`,
    trouble === undefined ? '' : ` data-t="${trouble}" class="t-${trouble}"`,
  ].join('');
  const kind = from === to ? 'inside' : 'arrow';
  const label = `<span class="label ${kind} p${from}-${to}"><b>${e(message)}</b>${detail === '' ? '' : `<span> ${e(detail)}</span>`}</span>`;
  const several = diagram.devices.length > 1 && device !== undefined ? `<span class="dev">device ${device}</span>` : '';
  return `<details id="m${number}"${data}><summary title="${e(hoverText(row, diagram))}"><span class="time">${sinceText(row.sinceMs)}</span>${several}<svg class="art" aria-hidden="true"><use href="#${artOf(row)}"/></svg>${label}<span class="size">${sizeText(row.bytes)}</span></summary>${more(row, diagram)}</details>`;
}

function more(row: Row, { lanes }: Diagram): string {
  const name = (place: number): string => lanes[place]?.title ?? '';
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['message', row.message],
    ['step', row.step === undefined ? undefined : `${row.step} ${stepTitle(row.step)}`],
    ['way', row.from === row.to ? `inside ${name(row.from)}` : `${name(row.from)} → ${name(row.to)}`],
    ['time', row.time],
    ['size', row.bytes === undefined ? undefined : `${row.bytes} bytes`],
    ['answer', row.answer],
    ['took', row.tookMs === undefined ? undefined : `${row.tookMs} ms`],
    ['trouble', row.trouble],
    ['reason', row.reason],
    ['device', row.device === undefined ? undefined : String(row.device)],
    ['line', String(row.line)],
  ];
  const list = facts.flatMap(([term, value]) => (value === undefined ? [] : [`<dt>${term}</dt><dd>${e(value)}</dd>`]));
  return `<div class="more"><dl>${list.join('')}</dl>${row.body === undefined ? '' : `<pre tabindex="0">${e(row.body)}</pre>`}</div>`;
}
