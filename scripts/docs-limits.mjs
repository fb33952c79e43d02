/**
 * Writes docs/limits.md from every bound that the packages export. `--check` compares instead.
 * A bound is an exported constant called `…LIMITS` (a table: rows with value, unit and summary, or numbers with doc comments),
 * an exported number called `MAX_…`, or any exported number of a file `limits.ts`. A bound without a description is an error.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { generated, ROOT, table } from './lib/generated.mjs';
import { programOf } from './lib/program.mjs';

const PACKAGES = ['protocol', 'uem-client', 'dynamics-sdk', 'lab-server', 'device-emulator'];
const UNITS = [
  [/(Bytes|_BYTES)$/, 'bytes'],
  [/(Ms|_MS)$/, 'ms'],
  [/([a-z]S|_S|Seconds|_SECONDS)$/, 's'],
];

/** Names of the bounds that a source file exports. */
function boundsIn(file) {
  const names = [...readFileSync(file, 'utf8').matchAll(/^export const ([A-Z][A-Z0-9_]*)\b/gm)].map(([, name]) => name);
  return names.filter((name) => /(^|_)LIMITS$/.test(name) || /^MAX_/.test(name) || /(^|\/)limits\.ts$/.test(file));
}

const sources = PACKAGES.flatMap((name) => {
  const folder = join(ROOT, 'packages', name, 'src');
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return files.sort().map((file) => ({ name, file: join(folder, file) }));
}).filter(({ file }) => boundsIn(file).length > 0);

const program = programOf(sources.map(({ file }) => file));
const checker = program.getTypeChecker();

function describe(symbol) {
  return ts.displayPartsToString(symbol.getDocumentationComment(checker)).replaceAll(/\s+/g, ' ').trim();
}

const unitOf = (name) => UNITS.find(([pattern]) => pattern.test(name))?.[1] ?? 'count';

/** Rows of one exported bound; `undefined` for an export that is no number and no table of numbers. */
function rows(name, value, symbol) {
  if (typeof value === 'number') return [{ name, value, unit: unitOf(name), summary: describe(symbol) }];
  if (typeof value !== 'object' || value === null) return [];
  const type = checker.getTypeOfSymbol(symbol);
  return Object.entries(value).map(([key, entry]) => {
    if (typeof entry === 'object') return { name: key, ...entry };
    const property = type.getProperty(key);
    return { name: key, value: entry, unit: unitOf(key), summary: property === undefined ? '' : describe(property) };
  });
}

const sections = new Map();
const bare = [];
for (const { name, file } of sources) {
  const module = await import(pathToFileURL(file).href);
  const exported = new Map(checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file))).map((symbol) => [symbol.name, symbol]));
  const found = boundsIn(file).flatMap((bound) => rows(bound, module[bound], exported.get(bound)));
  bare.push(...found.filter((row) => typeof row.value !== 'number' || !row.unit || !row.summary).map((row) => `${relative(ROOT, file)}: ${row.name}`));
  if (found.length === 0) continue;
  const text = table(
    ['name', 'value', 'unit', 'what is bounded'],
    found.map((row) => [`\`${row.name}\``, row.value.toLocaleString('en-US'), row.unit, row.summary]),
  );
  sections.set(name, [...(sections.get(name) ?? []), `From \`${relative(ROOT, file)}\`:\n\n${text}\n`]);
}

if (bare.length > 0) throw new Error(`bounds without a value, a unit or a doc comment:\n${bare.join('\n')}`);

const text = `# Limits

Generated from the bounds that the packages export by \`pnpm docs:limits\`; do not edit by hand.

Every frame, queue, map, time and count has a bound. Going over one is a typed error (\`ERR_WIRE_LIMIT\` for what came from a peer), never growth without end.

${[...sections].map(([name, parts]) => `## @uemkit/${name}\n\n${parts.join('\n')}`).join('\n')}`;

generated(join(ROOT, 'docs/limits.md'), text, 'pnpm docs:limits');
