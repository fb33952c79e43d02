export { type CompanyCertificates, companyCertificates } from './certificates.ts';
export { commandLine } from './command-line.ts';
export { type Company, type Invitation, type Invited, openCompany } from './company.ts';
export { type InstalledApp, installApp } from './installed-app.ts';
