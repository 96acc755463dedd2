// esbuild shakes what is imported statically: who loads this file loads no more of the client than this.
export { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
