/** Imported statically here, so that only what is used of the client is bundled. */
export { KMSClient, SignCommand } from '@aws-sdk/client-kms';
