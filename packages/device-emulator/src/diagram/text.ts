/** Control characters, and characters that change the direction of what follows: shown by their number, so that no text looks like another. */
const UNSEEN =
  /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/gu;

/** Text of others in one line, without anything that cannot be seen. */
export function visible(text: string): string {
  return text.replaceAll(UNSEEN, (character) => `\\u${(character.codePointAt(0) as number).toString(16).padStart(4, '0')}`);
}

/** As `visible`, with line feeds and tabs as they are. */
export function visibleLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.split('\t').map(visible).join('\t'))
    .join('\n');
}

/** Cells of a monospaced font that a text takes; what is not ASCII may be twice as wide. */
function cellsOf(character: string): number {
  return (character.codePointAt(0) as number) < 0x7f || character === '…' ? 1 : 2;
}

/** `text` in at most `cells` cells, with an ellipsis for what does not fit. */
export function cut(text: string, cells: number): string {
  const characters = [...text];
  let taken = 0;
  for (const [place, character] of characters.entries()) {
    taken += cellsOf(character);
    if (taken > cells || (taken === cells && place < characters.length - 1)) {
      // Give cells back until the ellipsis fits.
      let kept = characters.slice(0, place);
      while (kept.length > 0 && kept.reduce((sum, one) => sum + cellsOf(one), 0) > cells - 1) kept = kept.slice(0, -1);
      return `${kept.join('')}…`;
    }
  }
  return text;
}

/** Width of a text in cells. */
export function width(text: string): number {
  return [...text].reduce((sum, character) => sum + cellsOf(character), 0);
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text of others inside markup or an attribute. Well formed in HTML and in XML. */
export function escapeMarkup(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] as string);
}
