/** The framework's alias carries a DependsOn that the emulator refuses; the intake learns the version of the durable function. */
module.exports = class {
  constructor(serverless) {
    this.hooks = {
      'before:aws:package:finalize:saveServiceState': () => {
        const { Resources } = serverless.service.provider.compiledCloudFormationTemplate;
        const version = Object.keys(Resources).find((id) => Resources[id].Type === 'AWS::Lambda::Version');
        for (const resource of Object.values(Resources)) if (resource.Type === 'AWS::Lambda::Alias') delete resource.DependsOn;
        Resources.IntakeLambdaFunction.Properties.Environment.Variables.STEPS_ARN = { 'Fn::Sub': `\${${version}}` };
      },
    };
  }
};
