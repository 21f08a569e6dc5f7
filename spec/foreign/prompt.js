// The Node example of the order for templates/TapStack.json, with the item read back.
const { CloudFormationClient, DescribeStacksCommand } = require("@aws-sdk/client-cloudformation");
const { DynamoDBClient } = require("@aws-sdk/client-dynamodb");
const { DynamoDBDocumentClient, GetCommand, PutCommand } = require("@aws-sdk/lib-dynamodb");
const { deepStrictEqual } = require("node:assert");
const { randomUUID } = require("node:crypto");

const region = "us-east-1";
const cfn = new CloudFormationClient({ region });
const documents = DynamoDBDocumentClient.from(new DynamoDBClient({ region }));

async function main() {
  const stacks = await cfn.send(new DescribeStacksCommand({ StackName: "TapStackdev" }));
  const outputs = stacks.Stacks[0].Outputs;
  const TableName = outputs.find((output) => output.OutputKey === "TurnAroundPromptTableName").OutputValue;
  const Item = {
    id: randomUUID(), prompt_text: "Analyze system performance metrics", task_type: "analysis", priority: "high",
    status: "pending", created_at: new Date().toISOString(), ttl: Math.floor(Date.now() / 1000) + 86400 * 30,
  };
  await documents.send(new PutCommand({ TableName, Item }));
  const answer = await documents.send(new GetCommand({ TableName, Key: { id: Item.id } }));
  deepStrictEqual(answer.Item, Item);
  console.log("Created prompt:", Item.id);
}

main();
