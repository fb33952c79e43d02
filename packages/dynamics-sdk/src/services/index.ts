export { type InterAppServices, type InterAppServicesOptions, interAppServices, type SendOptions } from './inter-app-services.ts';
export type { ForegroundOption, ReceivedMessage, ServiceAttachment, ServiceMessage } from './message.ts';
export type { IncomingMessage, OnReceiveMessage, ProvidedService, ServiceRequestMessage } from './provision.ts';
export type { ServiceDetail, ServiceProvider } from './service-apps.ts';
export { isServicesError, ServicesError, type ServicesErrorCode } from './services-error.ts';
