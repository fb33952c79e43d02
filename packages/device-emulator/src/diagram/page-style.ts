import { colourProperties } from './colours.ts';
import type { Diagram } from './diagram.ts';
import { ARROW_PX, BAND_PX, LANE_PX, LEFT_PX, labelSpan, lanesWidth, laneX, RIGHT_PX, ROW_PX } from './geometry.ts';

const TROUBLES = ['lost', 'refused', 'failed', 'retry', 'fault'];
const FLOWS = ['f1', 'f5', 'other'];

/** Style of the page for one picture: places of labels are classes, because a page without inline styles can forbid them. */
export function pageStyle(diagram: Diagram): string {
  const wide = LEFT_PX + lanesWidth(diagram) + RIGHT_PX;
  const lanes = diagram.lanes.map((_, place) => `linear-gradient(var(--lane),var(--lane)) ${LEFT_PX + laneX(place)}px 0/1px 100% no-repeat`);
  return `:root{color-scheme:light dark;${colourProperties('light')}}
@media(prefers-color-scheme:dark){:root{${colourProperties('dark')}}}
:root[data-theme=light]{color-scheme:light;${colourProperties('light')}}
:root[data-theme=dark]{color-scheme:dark;${colourProperties('dark')}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:14px/1.45 system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;min-width:${wide + 32}px}
header,main,footer{width:${wide}px;margin:0 auto}
h1{font-size:20px;margin:20px 0 2px;overflow-wrap:anywhere}
.facts{margin:0 0 10px;color:var(--muted)}
.notes{margin:0 0 10px;padding:8px 12px 8px 30px;background:var(--otherground);border-left:4px solid var(--retry);border-radius:6px;overflow-wrap:anywhere}
.tools{display:flex;flex-wrap:wrap;gap:8px 14px;align-items:center;padding:10px 12px;background:var(--panel);border:1px solid var(--line);border-radius:10px}
.tools label{display:flex;gap:6px;align-items:center;color:var(--muted)}
.tools select,.tools input[type=search],.tools button{font:inherit;color:var(--text);background:var(--ground);border:1px solid var(--lane);border-radius:6px;padding:4px 8px}
.tools select{max-width:270px}.tools input[type=search]{width:170px}.tools button{cursor:pointer}
.count{margin-left:auto;color:var(--muted)}
.legend{display:flex;gap:16px;margin:10px 2px 0;padding:0;list-style:none;color:var(--muted);font-size:12.5px}
.legend i{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:6px;background:currentColor}
.legend .k-retry{color:var(--retry)}.legend .k-lost{color:var(--lost)}.legend .k-fault{color:var(--fault)}
.heads{position:sticky;top:0;z-index:2;display:flex;padding:10px ${RIGHT_PX}px 10px ${LEFT_PX}px;background:var(--ground);border-bottom:1px solid var(--line);margin-top:12px}
.head{width:${LANE_PX - 16}px;margin:0 8px;padding:5px 4px;text-align:center;background:var(--panel);border:1px solid var(--lane);border-radius:9px;line-height:1.3}
.head b{font-size:13px}.head b,.head span{display:block;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}.head span{font-size:11.5px;color:var(--muted);min-height:1.3em}
.lanes{background:${lanes.join(',')};padding-bottom:24px}
.block{content-visibility:auto;contain-intrinsic-size:auto 2000px}
h2{display:flex;gap:10px;align-items:center;height:${BAND_PX - 8}px;margin:4px 0;padding:0 10px;border-radius:6px;font-size:12.5px;font-weight:500;white-space:nowrap;overflow:hidden}
h2 b{font-weight:700}h2 span{overflow:hidden;text-overflow:ellipsis}
${FLOWS.map((name) => `.${name}{background:var(--${name}ground);color:var(--${name})}`).join('')}
summary{position:relative;display:block;height:${ROW_PX}px;cursor:pointer;list-style:none;border-radius:6px}
summary::-webkit-details-marker{display:none}
summary:hover{background:color-mix(in srgb,var(--arrow) 9%,transparent)}
summary:focus-visible{outline:2px solid var(--arrow);outline-offset:-2px}
details[open]>summary{background:color-mix(in srgb,var(--arrow) 13%,transparent)}
.time,.size,.dev{position:absolute;font:11px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;color:var(--muted);line-height:14px;white-space:nowrap}
.time{left:0;width:${LEFT_PX - 10}px;text-align:right;top:${ARROW_PX - 14}px}
.dev{left:0;width:${LEFT_PX - 10}px;text-align:right;top:23px;overflow:hidden;text-overflow:ellipsis}.multi .time{top:6px}
.size{right:0;width:${RIGHT_PX - 12}px;top:${ARROW_PX - 14}px;text-align:right;padding-right:6px}
.art{position:absolute;left:${LEFT_PX}px;top:0;width:${lanesWidth(diagram)}px;height:${ROW_PX}px;color:var(--arrow);overflow:visible}
.art use{stroke:currentColor;fill:currentColor;stroke-width:1.4}
.label{position:absolute;font:11.5px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;line-height:16px;white-space:pre;overflow:hidden;text-overflow:ellipsis;unicode-bidi:isolate}
.label b{font-weight:600}.label span{color:var(--muted)}
.arrow b,.arrow span{background:var(--ground)}summary:hover .arrow *,[open]>summary .arrow *{background:none}
.arrow{top:${ARROW_PX - 22}px;text-align:center}
.inside{top:8px;padding:3px 7px;background:var(--inside);border:1px solid var(--lane);border-radius:6px;width:auto!important}
${spans(diagram)}
${TROUBLES.map((name) => `.t-${name} .art,.t-${name} .label,.t-${name} .label span{color:var(--${name})}.t-${name} .inside{border-color:var(--${name})}`).join('')}
.t-lost .art use{stroke-dasharray:5 3;fill:none}
.more{margin:2px 8px 10px ${LEFT_PX}px;padding:10px 14px;background:var(--panel);border:1px solid var(--lane);border-radius:8px;box-shadow:0 2px 10px rgb(0 0 0/.08)}
.more dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 14px;margin:0;font-size:12.5px}
.more dt{color:var(--muted)}.more dd{margin:0;overflow-wrap:anywhere;unicode-bidi:isolate}
.more pre{margin:10px 0 0;padding:10px 12px;background:var(--ground);border-radius:6px;font:12px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre-wrap;overflow-wrap:anywhere;max-height:420px;overflow:auto;unicode-bidi:isolate}
footer{color:var(--muted);font-size:12.5px;padding:10px 0 30px}
.sprite{position:absolute;width:0;height:0;overflow:hidden}
[hidden]{display:none!important}
@media print{@page{size:A4 landscape;margin:10mm}:root,:root[data-theme]{color-scheme:light;${colourProperties('light')}}body{zoom:.8;min-width:0;-webkit-print-color-adjust:exact;print-color-adjust:exact}.tools{display:none}.heads{position:static}.block{content-visibility:visible}summary,.more,h2{break-inside:avoid}h2{break-after:avoid}.more pre{max-height:none}}
@media(prefers-reduced-motion:no-preference){summary{transition:background-color .12s}}`;
}

/** A class for each pair of lanes that has a label. */
function spans({ lanes, sections }: Diagram): string {
  const pairs = new Map<string, string>();
  for (const { rows } of sections) {
    for (const row of rows) {
      const name = `p${row.from}-${row.to}`;
      if (pairs.has(name)) continue;
      const { left, width, align } = labelSpan(row, lanes.length);
      const x = LEFT_PX + left;
      const place = align === 'right' ? `right:${RIGHT_PX + lanes.length * LANE_PX - left - width}px` : `left:${x}px`;
      pairs.set(name, `.${name}{${place};width:${width}px;max-width:${width}px}`);
    }
  }
  return [...pairs.values()].join('');
}
