/** A member of Slack where others have an ARN: it is none, so that no pattern over ARNs can meet it. Pure. */
const principal = /^slack:([UW][A-Z0-9]{2,31})$/;

export const slackArn = (user: string): string => `slack:${user}`;
export const slackUserIn = (arn: string): string | undefined => principal.exec(arn)?.[1];
