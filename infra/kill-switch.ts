/** The switch that ends all writing: `on` stops the bot's hand within a minute, without a deploy. */
import { type Resources, stack, sub } from './intrinsics.ts';

export const killSwitchName = `/phidelity/${stack}/kill-switch`;

/**
 * CloudFormation updates a resource only where the template differs from the last one: a deploy leaves a switch that somebody
 * turned on as it is. Any difference, even of a description or a tag of the stack, writes `Value` too, and turns the switch off:
 * nothing here may change. https://github.com/aws/aws-cdk/issues/25949
 */
export const killSwitch: Resources = {
  KillSwitch: {
    Type: 'AWS::SSM::Parameter',
    Properties: {
      Name: sub(killSwitchName),
      Type: 'String',
      Value: 'off',
      AllowedPattern: '^(on|off)$',
      Description: 'phidelity: on = nothing is written; every fix becomes a page',
    },
  },
};
