/**
 * The public names of each entry of each package, one line each, in `packages/<name>/exports.txt`. `--check` compares instead:
 * a name that appears or goes away shows in a review, and a name that goes away is a major release.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { generated, ROOT } from './lib/generated.mjs';
import { programOf } from './lib/program.mjs';

const names = readdirSync(join(ROOT, 'packages')).filter((name) => !name.startsWith('.'));
const packages = names.map((name) => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'packages', name, 'package.json'), 'utf8'));
  const entries = Object.entries(manifest.exports).filter(([, target]) => typeof target === 'object');
  return { name, entries: entries.map(([entry, target]) => ({ entry, file: join(ROOT, 'packages', name, target['@uemkit/source']) })) };
});

const program = programOf(packages.flatMap(({ entries }) => entries.map(({ file }) => file)));
const checker = program.getTypeChecker();

function kind(symbol) {
  const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const { flags } = target;
  if (flags & ts.SymbolFlags.Class) return 'class';
  if (flags & ts.SymbolFlags.Function) return 'function';
  if (flags & ts.SymbolFlags.Variable) return 'const';
  if (flags & (ts.SymbolFlags.ValueModule | ts.SymbolFlags.NamespaceModule)) return 'namespace';
  if (flags & ts.SymbolFlags.Interface) return 'interface';
  if (flags & ts.SymbolFlags.TypeAlias) return 'type';
  throw new Error(`export ${symbol.name} does not resolve`);
}

function lines(module, prefix) {
  return checker.getExportsOfModule(module).flatMap((symbol) => {
    const what = kind(symbol);
    const own = `${what} ${prefix}${symbol.name}`;
    return what === 'namespace' ? [own, ...lines(checker.getAliasedSymbol(symbol), `${prefix}${symbol.name}.`)] : [own];
  });
}

for (const { name, entries } of packages) {
  const sections = entries.map(({ entry, file }) => {
    const source = program.getSourceFile(file);
    const module = source && checker.getSymbolAtLocation(source);
    if (module === undefined) throw new Error(`packages/${name}: entry ${entry} has no source ${file}`);
    return `# @uemkit/${name}${entry.slice(1)}\n${lines(module, '').sort().join('\n')}\n`;
  });
  generated(join(ROOT, 'packages', name, 'exports.txt'), sections.join('\n'), 'pnpm exports');
}
