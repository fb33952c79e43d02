/** Colours by name, for light and for dark surroundings; text on its ground has a contrast of 4.5 or more. */
export const COLOURS: Readonly<Record<string, readonly [light: string, dark: string]>> = {
  ground: ['#f7f8fa', '#12161d'],
  panel: ['#ffffff', '#1a202a'],
  text: ['#1b2330', '#e6eaf0'],
  muted: ['#566072', '#a3adbd'],
  lane: ['#cdd5e0', '#394353'],
  line: ['#dde3ec', '#2a3340'],
  arrow: ['#2f4a7a', '#9dbcf0'],
  inside: ['#eef2f8', '#232c39'],
  f1: ['#0b6b61', '#5fd0c1'],
  f1ground: ['#e3f4f1', '#14312e'],
  f5: ['#3f3ab8', '#a9a6ff'],
  f5ground: ['#ebeafa', '#25244a'],
  other: ['#566072', '#a3adbd'],
  otherground: ['#eceff4', '#222a35'],
  lost: ['#b01e12', '#ff8f85'],
  refused: ['#b01e12', '#ff8f85'],
  failed: ['#b01e12', '#ff8f85'],
  retry: ['#8a4b00', '#f3b55f'],
  fault: ['#7526ad', '#d19cff'],
};

/** Custom properties of one theme. */
export function colourProperties(theme: 'light' | 'dark'): string {
  const place = theme === 'light' ? 0 : 1;
  return Object.entries(COLOURS)
    .map(([name, pair]) => `--${name}:${pair[place]}`)
    .join(';');
}

/** Name of the colour of a step. */
export function stepColour(step: string | undefined): 'f1' | 'f5' | 'other' {
  if (step?.startsWith('F1.') === true) return 'f1';
  return step?.startsWith('F5.') === true ? 'f5' : 'other';
}
