export type { Certificate, CertificateContent, CertificateIssuer, CertificatePurpose, CertificateUsage } from './certificate-content.ts';
export { deviceUri } from './certificate-content.ts';
export { readCertificate } from './certificate-reader.ts';
export { certificate, certificateInfo } from './certificate-writer.ts';
export { type ChainQuestion, checkValidity, deviceIdOf, type IssuedQuestion, verifyChain, verifyIssued } from './chain.ts';
export {
  type CertificationRequest,
  type CertificationRequestContent,
  certificationRequest,
  certificationRequestInfo,
  readCertificationRequest,
} from './csr.ts';
export { type DeviceX509, deviceX509 } from './device-certificates.ts';
export { keyIdentifier, publicKeyInfo } from './identifiers.ts';
