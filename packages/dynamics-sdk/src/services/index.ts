export {
  type IncomingMessage,
  type InterAppServices,
  type InterAppServicesOptions,
  interAppServices,
  type OnReceiveMessage,
  type ProvidedService,
  type SendOptions,
  type ServiceRequestMessage,
} from './inter-app-services.ts';
export type { ForegroundOption, ReceivedMessage, ServiceAttachment, ServiceMessage } from './message.ts';
export type { ServiceDetail, ServiceProvider } from './service-apps.ts';
export { isServicesError, ServicesError, type ServicesErrorCode } from './services-error.ts';
