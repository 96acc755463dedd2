/** What the local stack says of a deployed template. */
export { type Deployed, resolve, type Template } from '../../infra/template-values.ts';

export interface Difference {
  readonly logicalId: string;
  /** Where it is not the home region. */
  readonly region?: string;
  readonly type: string;
  readonly note?: string;
}
