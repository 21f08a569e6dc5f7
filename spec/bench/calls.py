"""The peer of calls.lua: boto3 with as many threads as calls in flight."""
import concurrent.futures
import os
import sys

import boto3
from botocore.config import Config

count, in_flight, name = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
cfn = boto3.client("cloudformation", endpoint_url=os.environ["AWS_ENDPOINT_URL"],
                   config=Config(max_pool_connections=in_flight))


def call(_):
    assert cfn.describe_stacks(StackName=name)["Stacks"][0]["StackName"] == name


with concurrent.futures.ThreadPoolExecutor(in_flight) as pool:
    list(pool.map(call, range(count)))
