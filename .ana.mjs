import { readFileSync } from 'node:fs';

const p = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const N = Number(process.argv[3]);
const top = Number(process.argv[4] ?? 45);
const byId = new Map(p.nodes.map((n) => [n.id, n]));
const self = new Map();
for (let i = 0; i < p.samples.length; i++) self.set(p.samples[i], (self.get(p.samples[i]) ?? 0) + (p.timeDeltas[i] || 0));
const name = (n) => {
  const c = n.callFrame;
  return `${c.functionName || '(anon)'} ${c.url.replace(/.*\/(packages|node_modules)\//, '$1/').replace(/\?.*/, '')}:${c.lineNumber + 1}`;
};
const parents = new Map();
for (const n of p.nodes) for (const c of n.children ?? []) parents.set(c, n.id);
const selfBy = new Map(),
  incBy = new Map();
let total = 0;
for (const [id, t] of self) {
  const n = byId.get(id);
  const k = name(n);
  selfBy.set(k, (selfBy.get(k) ?? 0) + t);
  total += t;
  const seen = new Set();
  for (let x = id; x !== undefined; x = parents.get(x)) {
    const kk = name(byId.get(x));
    if (!seen.has(kk)) {
      seen.add(kk);
      incBy.set(kk, (incBy.get(kk) ?? 0) + t);
    }
  }
}
console.log('total us/req', (total / N).toFixed(1));
const show = (m) =>
  [...m]
    .sort((a, b) => b[1] - a[1])
    .slice(0, top)
    .map(([k, t]) => `${(t / N).toFixed(2).padStart(8)}  ${k}`)
    .join('\n');
console.log('SELF\n' + show(selfBy));
console.log('INCLUSIVE\n' + show(incBy));
