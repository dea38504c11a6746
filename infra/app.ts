import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { readDeployment } from './constructs/deployment.ts';
import { FoundationStack } from './foundation-stack.ts';
import { foundationStackName, serviceStackName } from './names.ts';
import { ServiceStack } from './service-stack.ts';

const app = new App();
const deployment = readDeployment(app);
const foundation = new FoundationStack(app, foundationStackName(deployment.stage), deployment);
const service = new ServiceStack(app, serviceStackName(deployment.stage), deployment);
service.addStackDependency(foundation);
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
