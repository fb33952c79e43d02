import { activationEndCases } from './cases/activation-end.ts';
import { activationProofCases } from './cases/activation-proof.ts';
import { activationStartCases } from './cases/activation-start.ts';
import { admissionCases } from './cases/admission.ts';
import { certificateCases } from './cases/certificates.ts';
import { configurationCases } from './cases/configuration.ts';
import { deviceListenerCases } from './cases/device-listener.ts';
import { discoveryCases } from './cases/discovery.ts';
import { httpBindingCases } from './cases/http-binding.ts';
import { managementCases } from './cases/management.ts';
import { pushCases } from './cases/push.ts';
import { renewalCases } from './cases/renewal.ts';
import { signedRequestCases } from './cases/signed-requests.ts';
import type { ConformanceCase } from './conformance-case.ts';

/** Every case, in the order of the flows. */
export const CONFORMANCE_CASES: readonly ConformanceCase[] = [
  ...httpBindingCases,
  ...discoveryCases,
  ...activationStartCases,
  ...activationProofCases,
  ...admissionCases,
  ...activationEndCases,
  ...certificateCases,
  ...deviceListenerCases,
  ...signedRequestCases,
  ...renewalCases,
  ...managementCases,
  ...configurationCases,
  ...pushCases,
];
