/** A KMS key as params name it: id, alias, or ARN of either. */

/** The region that the key is in; undefined when the name does not tell, and AWS then looks for it beside the resource. */
export const regionOfKey = (key: string): string | undefined => (key.startsWith('arn:') ? key.split(':')[3] : undefined);

/** AWS services cannot use such a key on their own, and nobody can change its policy. */
export const isAwsManagedKey = (key: string): boolean => /(^|:)alias\/aws\//.test(key);
