import type { Diagram, Row } from './diagram.ts';

/** Measures of the picture in CSS pixels, the same in HTML and SVG. */
export const LANE_PX = 178;
/** Left of the lanes: time and device. */
export const LEFT_PX = 104;
/** Right of the lanes: size. */
export const RIGHT_PX = 74;
export const ROW_PX = 40;
export const BAND_PX = 30;
/** Height of an arrow in its row, from the top. */
export const ARROW_PX = 29;
/** Width of one character of the labels: monospaced at 11.5 px, whose widest common font takes 0.605 em. */
export const CELL_PX = 6.96;
/** Between a label and the lanes at its sides. */
const MARGIN_PX = 8;
const HEAD_PX = 9;

/** Place of a label inside the lanes. */
export interface Span {
  readonly left: number;
  readonly width: number;
  readonly align: 'left' | 'center' | 'right';
}

export function laneX(place: number): number {
  return LANE_PX * (place + 0.5);
}

export function lanesWidth({ lanes }: Pick<Diagram, 'lanes'>): number {
  return LANE_PX * Math.max(1, lanes.length);
}

/** Where the label of a row goes: over its arrow, or beside the lane of a step inside a part. */
export function labelSpan({ from, to }: Pick<Row, 'from' | 'to'>, lanes: number): Span {
  if (from !== to) {
    const left = laneX(Math.min(from, to)) + MARGIN_PX;
    return { left, width: laneX(Math.max(from, to)) - MARGIN_PX - left, align: 'center' };
  }
  const x = laneX(from);
  const most = 2 * LANE_PX - 2 * MARGIN_PX;
  const roomRight = LANE_PX * lanes - x - 2 * MARGIN_PX;
  if (roomRight >= LANE_PX) return { left: x + 2 * MARGIN_PX, width: Math.min(most, roomRight), align: 'left' };
  const roomLeft = x - 2 * MARGIN_PX;
  const width = Math.min(most, Math.max(roomLeft, LANE_PX / 2));
  return { left: Math.max(0, x - 2 * MARGIN_PX - width), width, align: 'right' };
}

/** Path of an arrow; one that is lost ends in a cross on its way. */
export function arrowPath(from: number, to: number, lost: boolean): string {
  const [start, end] = [laneX(from), laneX(to)];
  const direction = end > start ? 1 : -1;
  const y = ARROW_PX;
  if (lost) {
    const stop = start + (end - start) * 0.72;
    const cross = `M${stop - 5} ${y - 5}l10 10M${stop - 5} ${y + 5}l10 -10`;
    return `M${start} ${y}H${stop - direction * 8}${cross}`;
  }
  const tip = end - direction;
  const back = tip - direction * HEAD_PX;
  return `M${start} ${y}H${back}M${back} ${y - 4.5}L${tip} ${y}L${back} ${y + 4.5}Z`;
}

/** Characters of the texts left of the lanes: monospaced at 11 px. */
export const LEFT_CELLS: number = Math.floor((LEFT_PX - 12) / 6.66);

/** Time since the first message, to the millisecond. */
export function sinceText(sinceMs: number): string {
  const total = Math.max(0, sinceMs);
  const seconds = (total % 60_000) / 1_000;
  const minutes = Math.floor(total / 60_000);
  if (minutes === 0) return `+${seconds.toFixed(3)}`;
  const padded = seconds.toFixed(3).padStart(6, '0');
  if (minutes < 60) return `+${minutes}:${padded}`;
  const hours = Math.floor(minutes / 60);
  const clock = `${String(minutes % 60).padStart(2, '0')}:${padded}`;
  // Over days a millisecond says nothing, and there is no room for it.
  return hours < 24 ? `+${hours}:${clock}` : `+${Math.floor(hours / 24)}d ${hours % 24}:${clock.slice(0, 5)}`;
}

export function sizeText(bytes: number | undefined): string {
  if (bytes === undefined || bytes === 0) return '';
  if (bytes < 10_000) return `${bytes} B`;
  return bytes < 10_000_000 ? `${(bytes / 1_024).toFixed(1)} KiB` : `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

/** Everything about a row in one line, for who hovers over it. */
export function hoverText(row: Row, { lanes }: Pick<Diagram, 'lanes'>): string {
  const name = (place: number): string => lanes[place]?.title ?? '';
  const way = row.from === row.to ? name(row.from) : `${name(row.from)} → ${name(row.to)}`;
  const parts = [row.step ?? '', way, row.message, row.detail, sizeText(row.bytes), row.time];
  return parts.filter((part) => part !== '').join(' · ');
}
