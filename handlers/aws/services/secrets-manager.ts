// esbuild shakes what is imported statically: who loads this file loads no more of the client than this.
export { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
