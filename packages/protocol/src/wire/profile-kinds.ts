/** Kinds of profiles of which one is in force on a device (docs/protocol 6.7): of several the one that goes first. Activation profiles are apart. */
export const RANKED_PROFILE_KINDS = [
  'compliance',
  'enterprise-connectivity',
  'enterprise-management-agent',
  'dynamics',
  'dynamics-connectivity',
  'device-sr-requirements',
  'factory-reset-protection',
  'gatekeeping',
] as const;

/** Kinds of which a device has every profile that is assigned: they give access to resources of the company. */
export const UNRANKED_PROFILE_KINDS = ['email', 'wi-fi', 'vpn', 'certificate', 'certificate-retrieval', 'user-credential', 'custom-payload'] as const;

export type RankedProfileKind = (typeof RANKED_PROFILE_KINDS)[number];
export type UnrankedProfileKind = (typeof UNRANKED_PROFILE_KINDS)[number];
/** Names of kinds in the profiles document. */
export type ProfileKind = RankedProfileKind | UnrankedProfileKind;
