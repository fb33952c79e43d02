import type { Traced } from '../trace/redact.ts';
import type { Trouble } from '../trace/step-sink.ts';
import type { TraceLine } from '../trace/trace-line.ts';

const TROUBLES: readonly string[] = ['lost', 'refused', 'failed', 'retry', 'fault'] satisfies Trouble[];

/** What a line of a trace file says: a step, or that the writer had to leave lines out. */
export type ReadLine =
  | { readonly kind: 'line'; readonly line: TraceLine; readonly timeMs: number }
  | { readonly kind: 'leftOut'; readonly count: number }
  | { readonly kind: 'damaged' };

const DAMAGED: ReadLine = { kind: 'damaged' };

/** Reads one line of a trace. Checked by hand: there may be millions. Fields that are not known are ignored. */
export function readTraceLine(text: string): ReadLine {
  const value = parse(text);
  if (value === undefined) return DAMAGED;
  const { leftOut, time, from, to, message } = value;
  if (typeof leftOut === 'number') return leftOut >= 0 ? { kind: 'leftOut', count: leftOut } : DAMAGED;
  if (typeof from !== 'string' || typeof to !== 'string' || typeof message !== 'string' || typeof time !== 'string') return DAMAGED;
  const timeMs = Date.parse(time);
  const { device, trouble, refs } = value;
  if (Number.isNaN(timeMs) || !optional(device, isIndex) || !optional(value['bytes'], isNumber) || !optional(value['tookMs'], isNumber)) return DAMAGED;
  if (!TEXTS.every((name) => optional(value[name], isText)) || !optional(refs, isTexts)) return DAMAGED;
  if (!optional(trouble, (one) => typeof one === 'string' && TROUBLES.includes(one))) return DAMAGED;
  return { kind: 'line', line: value as unknown as TraceLine, timeMs };
}

const TEXTS = ['step', 'answer', 'reason', 'deviceId', 'userId'] as const;

/** JSON object of a line, or undefined. */
export function parse(text: string): { readonly [name: string]: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as { readonly [name: string]: unknown }) : undefined;
  } catch {
    return undefined;
  }
}

/** A field of a decoded body that is text. */
export function textOf(body: Traced | undefined, name: string): string | undefined {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined;
  const value = (body as { readonly [key: string]: Traced })[name];
  return typeof value === 'string' ? value : undefined;
}

/** The hash by which a body shows an id. */
export function hashOf(body: Traced | undefined, name: string): string | undefined {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined;
  return textOf((body as { readonly [key: string]: Traced })[name], 'sha256');
}

function optional(value: unknown, fits: (value: unknown) => boolean): boolean {
  return value === undefined || fits(value);
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(isText);
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value);
}

function isIndex(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
