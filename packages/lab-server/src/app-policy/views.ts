import { type Control, PolicyDefinitionError } from './definition.ts';
import { allowOnly, attribute, only, textOf } from './xml-parts.ts';
import type { XmlElement } from './xml-tree.ts';

/** What views say about one setting. */
export interface ViewOfSetting {
  readonly dependsOn?: string | undefined;
  /** True: one view at least goes to clients. */
  readonly isSent: boolean;
}

const PARTS = ['pview', 'title', 'heading', 'desc', 'sendto', 'pe'];

/**
 * What the views say of settings, by name. How they are laid out is for a console, and is checked and not kept.
 * @throws PolicyDefinitionError also `unknownReference` for a setting that there is not
 */
export function readViews(views: readonly XmlElement[], controls: ReadonlyMap<string, Control>): ReadonlyMap<string, ViewOfSetting> {
  const found = new Map<string, ViewOfSetting>();

  const note = (entry: XmlElement, isSent: boolean): void => {
    allowOnly(entry, [], ['ref', 'depends']);
    const name = attribute(entry, 'ref');
    requireSetting(entry, name);
    const before = found.get(name);
    const dependsOn = entry.attributes.has('depends') ? attribute(entry, 'depends') : before?.dependsOn;
    if (dependsOn !== undefined && requireSetting(entry, dependsOn) !== 'checkbox')
      throw new PolicyDefinitionError('badValue', `depends names ${dependsOn}, which is no checkbox`, entry);
    found.set(name, { ...(dependsOn === undefined ? {} : { dependsOn }), isSent: isSent || before?.isSent === true });
  };

  const requireSetting = (entry: XmlElement, name: string): Control => {
    const control = controls.get(name);
    if (control === undefined) throw new PolicyDefinitionError('unknownReference', `there is no setting ${name}`, entry);
    return control;
  };

  // As deep as the document may be, and no deeper.
  const read = (view: XmlElement, isSentAbove: boolean): void => {
    allowOnly(view, PARTS, ['type', 'key']);
    const isSent = isSentAbove && !isSentToNobody(view);
    for (const part of view.children) {
      if (part.name === 'pview') read(part, isSent);
      else if (part.name === 'pe') note(part, isSent);
      else if (part.name !== 'sendto') textOf(part);
    }
  };

  for (const view of views) read(view, true);
  return found;
}

/** `sendto` is known with the client `None` alone: what another one would keep from whom nobody can tell. */
function isSentToNobody(view: XmlElement): boolean {
  const sendTo = only(view, 'sendto');
  if (sendTo === undefined) return false;
  allowOnly(sendTo, [], ['client']);
  if (attribute(sendTo, 'client') !== 'None') throw new PolicyDefinitionError('badValue', 'the client of sendto is None, or sendto is left out', sendTo);
  return true;
}
