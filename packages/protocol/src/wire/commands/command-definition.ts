import type { PlatformId } from '../platforms.ts';

/** Order in which commands are handed out (F5.4): the lowest number first. */
export const COMMAND_PRIORITIES = { administration: 0, configuration: 1, request: 2 } as const;

export type CommandPriority = (typeof COMMAND_PRIORITIES)[keyof typeof COMMAND_PRIORITIES];

/** Where something that we build comes from: the vendor's public text, our own conclusion from it, or nothing but us. */
export type Provenance = 'described' | 'inferred' | 'ours';

/** Activation types of one kind of device on which a command may have an effect. */
export interface CommandReach {
  readonly platform: PlatformId;
  readonly activationTypes: readonly string[];
  readonly status: Provenance;
}

/** What a property may hold. */
export type PropertyKind =
  | { readonly kind: 'text'; readonly maxCharacters: number }
  /** Standard base64 of at least one byte. */
  | { readonly kind: 'base64'; readonly maxCharacters: number }
  /** A whole number from `min` on. */
  | { readonly kind: 'whole'; readonly min: number }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  | { readonly kind: 'flag' }
  | { readonly kind: 'list' }
  | { readonly kind: 'document' };

export type PropertyDefinition = PropertyKind & {
  readonly required: boolean;
  /** Never shown again, not even to who sent it. */
  readonly secret?: true | undefined;
  /** UEM fills it in; an administrator who sends it is refused. */
  readonly filledByUem?: true | undefined;
  /** Narrower than the command's own reach: elsewhere the command is taken without this property only. */
  readonly reach?: readonly CommandReach[] | undefined;
};

/**
 * One command as both ends know it: its name, form and reach. What it does is written here for people only; UEM and the devices
 * each have their own code for it, so that a mistake of one shows at the other.
 */
export interface CommandDefinition {
  readonly priority: CommandPriority;
  /** `uem`: it follows from what administrators do elsewhere, and none of them can give it. */
  readonly givenBy: 'administrator' | 'uem';
  /** `uem`: carried out by UEM alone, no device is asked. `application`: for one Dynamics app on the device. */
  readonly carriedOutBy: 'device' | 'application' | 'uem';
  readonly properties: Readonly<Record<string, PropertyDefinition>>;
  readonly reach: readonly CommandReach[];
  /** Only a supervised device carries it out; UEM learns of supervision from the device, so the device decides. */
  readonly supervisedOnly?: true | undefined;
  /** Done means that the device is not managed any more: nothing else is handed out to it. */
  readonly endsManagement?: true | undefined;
  readonly effect: string;
  /** What surprises people, each a documented one unless it says so. */
  readonly oddities: readonly string[];
  /** The page or section that describes it; `ours` for what is not in any. */
  readonly source: string;
  /** Of the name. */
  readonly status: Provenance;
}
