import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { readDeployment } from './constructs/deployment.ts';
import { FoundationStack } from './foundation-stack.ts';
import { ServiceStack } from './service-stack.ts';

const app = new App();
const deployment = readDeployment(app);
const foundation = new FoundationStack(app, `relay-audit-${deployment.stage}-foundation`, deployment);
const service = new ServiceStack(app, `relay-audit-${deployment.stage}-service`, deployment);
service.addStackDependency(foundation);
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
