// A small app for the CDK: an asset, a nested stack, a queue. WORD is what a deployment changes.
const path = require("node:path");
const cdk = require("aws-cdk-lib");
const lambda = require("aws-cdk-lib/aws-lambda");
const sns = require("aws-cdk-lib/aws-sns");
const sqs = require("aws-cdk-lib/aws-sqs");

class Child extends cdk.NestedStack {
  constructor(scope, id) {
    super(scope, id);
    new sns.Topic(this, "Inner", { displayName: process.env.WORD });
  }
}

class Small extends cdk.Stack {
  constructor(scope, id) {
    super(scope, id, { env: { account: "123456789012", region: "us-east-1" } });
    new Child(this, "Child");
    new lambda.Function(this, "Function", {
      runtime: lambda.Runtime.NODEJS_20_X, handler: "index.handler",
      code: lambda.Code.fromAsset(path.join(__dirname, "function")),
    });
    const queue = new sqs.Queue(this, "Queue", { visibilityTimeout: cdk.Duration.seconds(30) });
    new cdk.CfnOutput(this, "QueueUrl", { value: queue.queueUrl });
  }
}

new Small(new cdk.App(), "Small");
