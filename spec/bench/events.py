"""The peer of events.lua: the same pages read by boto3."""
import os
import sys

import boto3

cfn = boto3.client("cloudformation", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
for round in range(int(sys.argv[1])):
    events = cfn.describe_stack_events(StackName=sys.argv[2 + round % 2])["StackEvents"]
print(len(events), "events a page", file=sys.stderr)
