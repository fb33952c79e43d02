/** The flows and their steps in a few words, as headings. */
const STEPS: Readonly<Record<string, string>> = {
  F1: 'Activation of a device',
  'F1.1': 'Administrator adds the user, the profile and the credentials',
  'F1.2': 'User types the password or scans the QR code',
  'F1.3': 'Device finds its UEM and asks to be activated',
  'F1.4': 'Both prove themselves; UEM returns certificate and configuration',
  'F1.5': 'Device completes its configuration and confirms',
  F3: 'Activation of an app',
  'F3.1': 'Administrator assigns the app to the user',
  'F3.2': 'User installs the app',
  'F3.3': 'App and UEM Client make a secure channel; the app asks for an access key',
  'F3.4': 'UEM Client asks UEM for it',
  'F3.5': 'UEM makes the key and tells the NOC its hash',
  'F3.6': 'UEM Client hands the key to the app',
  'F3.7': 'App shows the NOC a hash of its key',
  'F3.8': 'NOC verifies it and returns the link to UEM',
  'F3.9': 'App sends the set-up message of its secure channel to UEM',
  'F3.10': 'NOC passes it on; UEM answers and proves itself',
  'F3.11': 'UEM sends the provisioning data under seal; the app confirms',
  F5: 'Management of a device',
  'F5.1': 'Administrator sends a command or changes something',
  'F5.2': 'UEM has the device notified; the device stays reachable',
  'F5.3': 'Device asks for pending actions',
  'F5.4': 'UEM answers with the most urgent command',
  'F5.5': 'Device carries it out and reports its status',
  'F5.6': 'Nothing more is pending: idle',
  F10: 'Business data through the NOC',
  'F10.1': 'User opens the app',
  'F10.2': 'App and NOC make a link under the master link key',
  'F10.3': 'NOC connects the Proxy; app and Proxy agree on keys that the NOC does not know',
  'F10.4': 'Data flow to and from servers behind the firewall',
  F11: 'Direct Connect',
  'F11.1': 'User opens the app',
  'F11.2': 'App connects to the Proxy over TLS',
  'F11.3': 'App proves itself with a MAC under its session key',
  'F11.4': 'Data flow, without the NOC',
};

/** Heading of a step; empty for one that is not known. */
export function stepTitle(step: string): string {
  return Object.hasOwn(STEPS, step) ? (STEPS[step] as string) : '';
}

/** Flow of a step: `F5` of `F5.4`. */
export function flowOf(step: string): string {
  return step.split('.')[0] as string;
}
